import { AlertsHeader } from "../AlertsHeader";

export function RulesPage() {
  return <AlertsHeader title="Rules" shown="rules" />;
}
