// Which series of a rule's query are an alert's own. Pure.
import type { AlertWithHistory } from "../../api/alerts";
import type { Points } from "../../api/prometheus";

/** Those whose labels say nothing else than the alert's; all, where none does: a rule may rename its labels. */
export function ofAlert(series: Points[], { labels }: Pick<AlertWithHistory, "labels">): Points[] {
  const own = series.filter((one) =>
    Object.entries(one.labels).every(
      ([name, value]) => name === "__name__" || labels[name] === undefined || labels[name] === value,
    ),
  );
  return own.length > 0 ? own : series;
}
