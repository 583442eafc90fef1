import { PageHeader } from "../../app/PageHeader";

export function AlertsPage() {
  return <PageHeader title="Alerts" />;
}
