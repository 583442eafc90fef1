// Dashboards as the collector keeps them: Grafana's JSON, to the letter. Its text is cut out of the answer and sent as it is.
import { extentAt } from "../lib/dashboard/text";
import { addressOf, call, get, readChecked, send } from "./http";
import { array, nullable, number, object, oneOf, ShapeError, string } from "./validate";

export interface DashboardRow {
  uid: string;
  title: string;
  tags: string[];
  folder: string;
  source: "shipped" | "saved";
  revision: number;
  updated_at: string | null;
}

export interface KeptDashboard {
  /** JSON, as it was given. */
  text: string;
  source: "shipped" | "saved";
  /** To be sent with the next change; 0 for a shipped one. */
  revision: number;
  updated_at: string | null;
}

const source = oneOf<"shipped" | "saved">("shipped", "saved");
const row = object<DashboardRow>({
  uid: string,
  title: string,
  tags: array(string),
  folder: string,
  source,
  revision: number,
  updated_at: nullable(string),
});
const list = object<{ dashboards: DashboardRow[] }>({ dashboards: array(row) });
const about = object<Omit<KeptDashboard, "text">>({ source, revision: number, updated_at: nullable(string) });

export async function fetchDashboards(signal?: AbortSignal): Promise<DashboardRow[]> {
  return (await get("/dashboards", {}, list, signal)).dashboards;
}

export async function fetchDashboard(uid: string, signal?: AbortSignal): Promise<KeptDashboard> {
  const address = addressOf(`/dashboards/${encodeURIComponent(uid)}`, {});
  return readKept(await send(address, signal ? { signal } : {}));
}

/** `text` is the dashboard's JSON. Fails with 409 `conflict` when it has changed since `revision`; null replaces. */
export async function saveDashboard(text: string, revision: number | null): Promise<KeptDashboard> {
  const body = `{"dashboard":${text},"revision":${revision === null ? "null" : revision}}`;
  const headers = { "Content-Type": "application/json" };
  return readKept(await send(addressOf("/dashboards", {}), { method: "POST", body, headers }));
}

export function deleteDashboard(uid: string): Promise<void> {
  return call("DELETE", `/dashboards/${encodeURIComponent(uid)}`);
}

function readKept(response: Response): Promise<KeptDashboard> {
  return readChecked(response, (answer) => {
    const known = about(JSON.parse(answer), "dashboard");
    const extent = extentAt(answer, ["dashboard"]);
    if (!extent) throw new ShapeError("dashboard", "present");
    return { ...known, text: answer.slice(extent.start, extent.end) };
  });
}
