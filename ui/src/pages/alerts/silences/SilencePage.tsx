import { AlertsHeader } from "../AlertsHeader";

export function SilencePage() {
  return <AlertsHeader title="Silence" shown="silences" />;
}
