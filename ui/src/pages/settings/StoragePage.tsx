import { PageHeader } from "../../app/PageHeader";

export function StoragePage() {
  return <PageHeader title="Storage" />;
}
