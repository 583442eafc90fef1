import { AlertsHeader } from "../AlertsHeader";

export function SilencesPage() {
  return <AlertsHeader title="Silences" shown="silences" />;
}
