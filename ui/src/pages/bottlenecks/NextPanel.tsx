import type { Verdict } from "../../api/bottlenecks";
import { formatCount, formatShare, plural } from "../../lib/number";
import { formatValue } from "../../lib/units";
import { sentence } from "../../lib/words";
import { amountText, entityText, kindText } from "./model";
import styles from "./NextPanel.module.css";
import panel from "./Panel.module.css";

const stepLimit = 3;

/** What to do, how much more the narrow resource takes, who else contributes, and how much could be seen. */
export function NextPanel({ verdict }: { verdict: Verdict }) {
  const { next_steps, headroom } = verdict;
  return (
    <section className={`panel ${panel.panel}`} aria-label="What to do">
      <div className={panel.head}>
        <h3>What to do</h3>
        {headroom && <span className="text3 small">and headroom of {headroom.resource}</span>}
      </div>
      <div className={styles.body}>
        {next_steps.length > 0 && (
          <ol className={styles.steps}>
            {next_steps.slice(0, stepLimit).map((step) => (
              <li key={step}>{sentence(step)}</li>
            ))}
          </ol>
        )}
        {headroom && <HeadroomBar headroom={headroom} />}
        <Others verdict={verdict} />
        <Quality verdict={verdict} />
      </div>
    </section>
  );
}

function HeadroomBar({ headroom }: { headroom: NonNullable<Verdict["headroom"]> }) {
  const { now, limit, resource } = headroom;
  const share = limit > 0 ? Math.min(1, Math.max(0, now / limit)) : 0;
  const level = share >= 0.95 ? "crit" : share >= 0.8 ? "warn" : "fine";
  return (
    <div className={styles.headroom}>
      <p>
        <span className={styles.now}>{formatValue(now, "none")}</span> of {formatValue(limit, "none")} req/s
        before {resource} is full
      </p>
      <div className={styles.track} aria-hidden="true">
        <span data-level={level} style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

function Others({ verdict: { contributors, culprit, symptom } }: { verdict: Verdict }) {
  if (culprit === null || contributors.length === 0) return null;
  return (
    <p className={styles.line}>
      <span className="text1">Also contributes:</span>{" "}
      {contributors
        .map(
          (one) =>
            `${entityText(one.entity)}, ${kindText(one)}, ${amountText(one.contribution, symptom.sli)} (${formatShare(one.coverage)})`,
        )
        .join("; ")}
    </p>
  );
}

function Quality({ verdict: { data_quality, method } }: { verdict: Verdict }) {
  const { trace_coverage, traces, blind_hops, clock_skew_ms, missing } = data_quality;
  const title = [`Method ${method}`, ...missing].join("\n");
  return (
    <p className={`${styles.line} text3`} title={title}>
      Data: {formatShare(trace_coverage)} of hops with spans, {formatCount(traces)} traces,{" "}
      {plural(blind_hops, "blind hop")}, clock skew {formatValue(clock_skew_ms / 1000, "s")}
      {missing.length > 0 && `; missing: ${missing[0]}`}
      {missing.length > 1 && ` and ${missing.length - 1} more`}
    </p>
  );
}
