import { Link } from "@tanstack/react-router";
import type { Alert } from "../../api/alerts";
import { useMayEdit } from "../../app/roles";
import { Icon } from "../../components/Icon";
import { TracesLink } from "../../components/TraceLink";
import { absoluteRange, type Span } from "../../lib/time/range";
import { encodeTimeView, plainTime } from "../../lib/time/view";
import type { Zone } from "../../lib/time/zone";
import { tracesSearch } from "../services/links";
import styles from "./AlertPage.module.css";
import { conditionsOf, logsSearch, silenceSearch } from "./links";
import { hostOf, serviceOf, stateOf } from "./model";

interface AlertActionsProps {
  alert: Alert;
  span: Span;
  zone: Zone;
}

/** What to do, and what to look at next: of the labels, in the time that the chart shows. */
export function AlertActions({ alert, span, zone }: AlertActionsProps) {
  const { allowed, why } = useMayEdit();
  const [service, host] = [serviceOf(alert.labels), hostOf(alert.labels)];
  const conditions = conditionsOf(alert.labels);
  const time = encodeTimeView({ ...plainTime, range: absoluteRange(span), zone });
  const isSilenced = stateOf(alert) === "silenced";
  return (
    <>
      <div className={styles.actions}>
        {allowed ? (
          <Link
            to="/alerts/silences/new"
            search={silenceSearch(alert.labels)}
            className={`button ${isSilenced ? "" : "button-primary"}`}
          >
            <Icon name="silenced" small />
            {isSilenced ? "Silence for longer" : "Silence"}
          </Link>
        ) : (
          <button
            type="button"
            className="button"
            disabled
            title={why ?? undefined}
            aria-describedby="why-not"
          >
            <Icon name="silenced" small />
            Silence
          </button>
        )}
        {conditions.length > 0 && (
          <Link to="/logs" search={logsSearch(conditions.join(" "), span, zone)} className="button">
            <Icon name="logs" small />
            Logs
          </Link>
        )}
        {why && (
          <p id="why-not" className="text3 small">
            {why}
          </p>
        )}
      </div>
      {(service !== null || host !== null) && (
        <section className="panel" aria-label="Look at">
          <div className={styles.panelHead}>
            <h3>Look at</h3>
            <span className="text3 small">the same time</span>
          </div>
          <ul className={styles.links}>
            {service !== null && (
              <li>
                <Icon name="services" small />
                <Link to="/services/$service" params={{ service }} search={time} className="link">
                  Service {service}
                </Link>
              </li>
            )}
            {host !== null && (
              <li>
                <Icon name="hosts" small />
                <Link to="/hosts/$host" params={{ host }} search={time} className="link">
                  Host {host}
                </Link>
              </li>
            )}
            <li>
              <Icon name="traces" small />
              <TracesLink
                search={tracesSearch(conditions, { range: absoluteRange(span), zone })}
                className="link"
              >
                Traces of {[service, host].filter(Boolean).join(" on ")}
              </TracesLink>
            </li>
          </ul>
        </section>
      )}
    </>
  );
}
