import { AlertsHeader } from "../AlertsHeader";

export function ReceiversPage() {
  return <AlertsHeader title="Receivers" shown="receivers" />;
}
