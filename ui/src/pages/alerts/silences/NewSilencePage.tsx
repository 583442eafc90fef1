import { AlertsHeader } from "../AlertsHeader";

export function NewSilencePage() {
  return <AlertsHeader title="New silence" shown="silences" />;
}
