import { PageHeader } from "../../app/PageHeader";

export function UsersPage() {
  return <PageHeader title="Users" />;
}
