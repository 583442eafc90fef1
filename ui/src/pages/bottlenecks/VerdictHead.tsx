import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { StoredWithRevisions } from "../../api/bottlenecks";
import { Choice, Choices } from "../../components/Choices";
import { CopyButton } from "../../components/CopyButton";
import { Icon } from "../../components/Icon";
import { plural } from "../../lib/number";
import { formatClock } from "../../lib/time/format";
import { shortMoment } from "../alerts/AlertRow";
import { encodeAlertView, plainView as plainAlerts } from "../alerts/url";
import { FeedbackTools } from "./FeedbackTools";
import { fixText, impactText, kindText, lastedText, levelNames, precisionText, stateOf } from "./model";
import { ConfidenceBars, Headline } from "./parts";
import { encodeVerdictView, type VerdictView } from "./url";
import styles from "./VerdictHead.module.css";
import { VerdictLink } from "./VerdictNote";

interface VerdictHeadProps {
  stored: StoredWithRevisions;
  view: VerdictView;
  stale: ReactNode;
  onChange: (change: Partial<VerdictView>) => void;
}

const stateWords = { open: "Open", not_localised: "Not localised", closed: "Closed" };

/** The answer: a sentence, how sure, since when, and what would happen without the culprit. */
export function VerdictHead({ stored, view, stale, onChange }: VerdictHeadProps) {
  const { id, verdict, alerts, revisions } = stored;
  const { culprit, confidence, window } = verdict;
  const nowMs = Date.now();
  const state = stateOf(stored);
  const lasted = lastedText(stored, nowMs);
  const fix = fixText(verdict);
  const newest = revisions.reduce((most, { rev }) => Math.max(most, rev), stored.rev);
  const link = () => {
    const search = new URLSearchParams(
      encodeVerdictView({ ...view, rev: stored.rev }) as Record<string, string>,
    );
    return `${globalThis.location.origin}/bottlenecks/${encodeURIComponent(id)}?${search}`;
  };
  const facts: ReactNode[] = [
    confidence && precisionText(confidence),
    impactText(verdict),
    <span key="since">
      since <span className="text1">{shortMoment(window.onset_s * 1000, view.zone, nowMs)}</span>
    </span>,
  ].filter(Boolean);
  return (
    <section className={styles.head} aria-label="Verdict">
      <div className={styles.text}>
        <div className={styles.tags}>
          <span className={state === "open" ? "tag tag-crit" : `tag ${styles.state}`} data-state={state}>
            <Icon name={state === "closed" ? "check" : "alert"} small />
            {stateWords[state]} {lasted}
          </span>
          <span className="tag" title={confidence ? levelNames[confidence.level] : undefined}>
            <ConfidenceBars confidence={confidence} />
          </span>
          {facts.map((fact, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a fact is its place
            <span key={at} className={styles.fact}>
              {fact}
            </span>
          ))}
          {stale}
        </div>
        <h2 className={styles.headline}>
          <Headline text={verdict.headline} culprit={culprit} />
        </h2>
        <p className={styles.summary}>
          {culprit && <span className="text1">{kindText(culprit)}. </span>}
          {verdict.summary}
          {fix && <span className={styles.fix}> {fix}</span>}
        </p>
        {stored.merged_into !== null && (
          <p className={styles.superseded}>
            It turned out to be a part of another: <VerdictLink id={stored.merged_into} zone={view.zone} />
          </p>
        )}
        {stored.rev < newest && (
          <p className={`tag tag-warn ${styles.older}`} role="status">
            <Icon name="clock" small />
            Revision {stored.rev} of {newest}, as it was said then.{" "}
            <button type="button" className="link" onClick={() => onChange({ rev: null })}>
              Show the newest
            </button>
          </p>
        )}
      </div>
      <div className={styles.tools}>
        <div className={styles.buttons}>
          {revisions.length > 1 && (
            <Choices
              label="Revisions"
              position="bottom-end"
              button={(toggle) => (
                <button type="button" className="button button-small" aria-haspopup="true" onClick={toggle}>
                  rev {stored.rev}
                  <Icon name="down" small />
                </button>
              )}
            >
              {(close) =>
                revisions.map(({ rev, at_s, headline }) => (
                  <Choice
                    key={rev}
                    chosen={rev === stored.rev}
                    onChoose={() => {
                      close();
                      onChange({ rev: rev === newest ? null : rev, evidence: null });
                    }}
                  >
                    <span className={styles.revision}>
                      <span className="text1">
                        rev {rev}, {formatClock(at_s * 1000, view.zone)}
                      </span>
                      <span className="text3">{headline}</span>
                    </span>
                  </Choice>
                ))
              }
            </Choices>
          )}
          <CopyButton text={link} label="Share" icon="share" />
          {alerts[0] !== undefined && (
            <Link
              to="/alerts/$fingerprint"
              params={{ fingerprint: alerts[0] }}
              search={encodeAlertView({ ...plainAlerts, zone: view.zone, range: null, every: false })}
              className="button button-small button-primary"
            >
              <Icon name="bell" small />
              {alerts.length === 1 ? "Open alert" : `Open first of ${plural(alerts.length, "alert")}`}
            </Link>
          )}
        </div>
        <FeedbackTools stored={stored} />
      </div>
    </section>
  );
}
