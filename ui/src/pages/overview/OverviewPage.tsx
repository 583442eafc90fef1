import { PageHeader } from "../../app/PageHeader";

export function OverviewPage() {
  return <PageHeader title="Overview" />;
}
