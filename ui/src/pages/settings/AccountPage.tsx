import { PageHeader } from "../../app/PageHeader";

export function AccountPage() {
  return <PageHeader title="Your account" />;
}
