import { PageHeader } from "../../app/PageHeader";

export function TokensPage() {
  return <PageHeader title="API tokens" />;
}
