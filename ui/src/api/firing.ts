// How many alerts fire now: the number beside "Alerts" in the rail, on every page.
import { get } from "./http";
import { array, object, string } from "./validate";

const answer = object<{ alerts: { state: string }[] }>({
  alerts: array(object<{ state: string }>({ state: string })),
});

export async function fetchFiringCount(signal: AbortSignal): Promise<number> {
  const { alerts } = await get("/alerts", {}, answer, signal);
  return alerts.filter(({ state }) => state === "firing").length;
}
