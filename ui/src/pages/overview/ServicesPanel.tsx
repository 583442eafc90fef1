import { Link } from "@tanstack/react-router";
import type { Stored } from "../../api/bottlenecks";
import type { ServiceSummary, ServicesAnswer } from "../../api/services";
import { PartialTag } from "../../components/PartialTag";
import { plural } from "../../lib/number";
import type { Span } from "../../lib/time/range";
import { encodeTimeView, type TimeView } from "../../lib/time/view";
import { sentence } from "../../lib/words";
import { matchService, type Role } from "../bottlenecks/match";
import { errorLevel, sortRows } from "../services/rows";
import { StaleTag } from "../services/states";
import { Trend } from "../services/Trend";
import { encodeServicesView } from "../services/url";
import { errorsText, latencyText, rateText } from "../services/words";
import styles from "./Overview.module.css";

interface ServicesPanelProps {
  answer: ServicesAnswer | null;
  error: Error | null;
  verdicts: Stored[];
  view: TimeView;
  span: Span;
}

const shownLimit = 12;

/** The worst services by rate, errors and latency. */
export function ServicesPanel({ answer, error, verdicts, view, span }: ServicesPanelProps) {
  const all = (answer?.services ?? []).map((one) => ({ ...one, name: one.service }));
  const shown = sortRows(all, "worst", false).slice(0, shownLimit);
  const time = { ...view, refreshS: null };
  return (
    <section className={`panel ${styles.panel}`} aria-label="Services">
      <div className={styles.head}>
        <h2>Services</h2>
        <span className="text3 small">
          {all.length > shown.length ? `the worst ${shown.length} of ${all.length}` : "worst first"}
        </span>
        <span className="grow" />
        <StaleTag until={answer?.until ?? null} span={span} zone={view.zone} />
        <PartialTag warnings={[...(answer?.warnings ?? []), ...(answer && error ? [error.message] : [])]} />
        <Link
          to="/services"
          search={encodeServicesView({ ...time, filter: "", sort: "worst", reverse: false })}
          className="link small"
        >
          {all.length > 0 ? `All ${plural(all.length, "service")}` : "All services"}
        </Link>
      </div>
      {shown.length > 0 ? (
        <table className={styles.table} data-verdicts={verdicts.length > 0 || undefined}>
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col">Rate, per s</th>
              <th scope="col">Errors</th>
              <th scope="col">p95</th>
              {verdicts.length > 0 && <th scope="col">Verdict</th>}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <ServiceRow key={row.service} row={row} verdicts={verdicts} view={time} />
            ))}
          </tbody>
        </table>
      ) : error ? (
        <p className={styles.line} role="alert">
          {sentence(error.message)}
        </p>
      ) : answer ? (
        <p className={styles.line}>
          No service has sent spans in this time.{" "}
          <Link to="/services" className="link">
            How to send traces
          </Link>
        </p>
      ) : (
        <div className={`skeleton ${styles.skeleton}`} />
      )}
    </section>
  );
}

interface ServiceRowProps {
  row: ServiceSummary;
  verdicts: Stored[];
  view: TimeView;
}

const roleWords: Record<Role, string> = {
  bottleneck: "bottleneck",
  contributes: "contributes",
  symptom: "on the path",
  path: "on the path",
  candidate: "candidate",
};

function ServiceRow({ row, verdicts, view }: ServiceRowProps) {
  const match = matchService(verdicts, row.service);
  const { service, rate, errors, p95_ns, spark } = row;
  const level = errorLevel(errors);
  const of = (what: string) => `${what} of ${service} over the time range`;
  return (
    <tr>
      <th scope="row">
        <span className={styles.dot} data-level={level ?? undefined} aria-hidden="true" />
        <Link
          to="/services/$service"
          params={{ service }}
          search={encodeTimeView(view)}
          className={styles.rowLink}
          title={service}
          data-service=""
        >
          {service}
        </Link>
      </th>
      <td>
        <Trend values={spark.rate} label={of("Rate")}>
          {rateText(rate)}
        </Trend>
      </td>
      <td>
        <Trend values={spark.errors} label={of("Errors")} level={level} least={0.01}>
          {errorsText(errors)}
        </Trend>
      </td>
      <td>
        <Trend values={spark.p95_ns} label={of("p95 latency")}>
          {latencyText(p95_ns)}
        </Trend>
      </td>
      {verdicts.length > 0 && (
        <td>
          {match && (
            <Link
              to="/bottlenecks/$id"
              params={{ id: match.stored.id }}
              className={styles.role}
              data-role={match.role}
            >
              {match.stored.verdict.culprit === null ? "not localised" : roleWords[match.role]}
            </Link>
          )}
        </td>
      )}
    </tr>
  );
}
