import { PageHeader } from "../../app/PageHeader";

export function TenantsPage() {
  return <PageHeader title="Tenants" />;
}
