import { cssColour } from "../../../lib/chart/colours";
import { formatNanos, formatPercent } from "../../../lib/time/nanosText";
import styles from "./TracePage.module.css";
import type { OpenTrace } from "./useTrace";

const shownServices = 5;

/** Where the time went that the trace took: how much of the critical path is whose. */
export function PathLegend({ trace: { view, colours } }: { trace: OpenTrace }) {
  const whole = view.pathByService.reduce((sum, { ns }) => sum + ns, 0);
  if (whole <= 0)
    return (
      <p className={`text3 small ${styles.legend}`}>
        No span of this trace takes any time, so nothing was waited for.
      </p>
    );
  const shown =
    view.pathByService.length <= shownServices + 1
      ? view.pathByService
      : view.pathByService.slice(0, shownServices);
  const others = view.pathByService.slice(shown.length);
  const othersNs = others.reduce((sum, { ns }) => sum + ns, 0);
  return (
    <div className={styles.legend}>
      <span className={styles.entry}>
        <span className={styles.thread} aria-hidden="true" />
        <span className="text1">Critical path {formatNanos(whole)}</span>
      </span>
      {shown.map(({ service, ns }) => (
        <span key={service} className={styles.entry} title={`${service}: ${formatNanos(ns)} of the path`}>
          <span
            className="swatch"
            style={{ background: cssColour(colours[view.services.indexOf(service)] ?? 9) }}
          />
          <span className={styles.service}>{service}</span>
          <span className="text3">{formatPercent(ns / whole)}</span>
        </span>
      ))}
      {others.length > 0 && (
        <span
          className={styles.entry}
          title={others.map(({ service, ns }) => `${service} ${formatPercent(ns / whole)}`).join(", ")}
        >
          <span className="swatch" style={{ background: "var(--ghost)" }} />
          {others.length} more <span className="text3">{formatPercent(othersNs / whole)}</span>
        </span>
      )}
    </div>
  );
}
