import { PageHeader } from "../../app/PageHeader";

export function AlertPage() {
  return <PageHeader title="Alert" />;
}
