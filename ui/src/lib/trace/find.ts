// Search inside of a trace that is here already: by names and ids, not by attributes, which stay at the collector.
import { errorStatus, type TraceView } from "./view";

/** The rows in which every word is found: in the service, the operation, the host, the span's id, or "error". */
export function findRows(view: TraceView, text: string): number[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const { count, id, service, name, host, status } = view.spans;
  const tables = words.map((word) => {
    const holds = (list: string[]) => list.map((one) => one.toLowerCase().includes(word));
    return { word, services: holds(view.services), names: holds(view.names), hosts: holds(view.hosts) };
  });
  const found: number[] = [];
  for (let row = 0; row < count; row += 1) {
    const all = tables.every(
      ({ word, services, names, hosts }) =>
        services[service[row] ?? -1] ||
        names[name[row] ?? -1] ||
        hosts[host[row] ?? -1] ||
        id[row]?.startsWith(word) ||
        (word === "error" && status[row] === errorStatus),
    );
    if (all) found.push(row);
  }
  return found;
}
