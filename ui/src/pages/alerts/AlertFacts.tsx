import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Alert } from "../../api/alerts";
import { formatMatchers } from "../../lib/matchers";
import { formatDuration } from "../../lib/time/format";
import styles from "./AlertPage.module.css";
import { LinkedText } from "./LinkedText";
import { ruleSearch, rulesPath } from "./links";
import { safeHref, tagsOf } from "./model";

/** Each label leads to the alerts that share it. */
export function AlertLabels({ alert }: { alert: Alert }) {
  return (
    <section className="panel" aria-label="Labels">
      <div className={styles.panelHead}>
        <h3>Labels</h3>
        <span className="text3 small">open the alerts that share one</span>
      </div>
      <div className={styles.labels}>
        {tagsOf(alert.labels).map(([name, value]) => (
          <Link
            key={name}
            to="/alerts"
            search={{ filter: formatMatchers([{ name, op: "=", value }]) }}
            className={`tag ${styles.label}`}
          >
            {name}={value}
          </Link>
        ))}
      </div>
    </section>
  );
}

/** Shown at the head already, or as a link of its own. */
const elsewhere = new Set(["summary", "description"]);

/** The rule, and what else its author wrote. */
export function AlertFacts({ alert }: { alert: Alert }) {
  const { rule } = alert;
  const others = Object.entries(alert.annotations).filter(
    ([name, text]) => !elsewhere.has(name) && !(name === "runbook_url" && safeHref(text) !== null),
  );
  if (!rule && others.length === 0) return null;
  return (
    <section className="panel" aria-label="Rule">
      <div className={styles.panelHead}>
        <h3>{rule ? "Rule" : "Annotations"}</h3>
        <span className="grow" />
        {rule && (
          <Link to={rulesPath} search={{ ...ruleSearch(alert) }} className="link small">
            Open the rule
          </Link>
        )}
      </div>
      <dl className={styles.facts2}>
        {rule && (
          <>
            <Fact name="Name">{rule.name}</Fact>
            <Fact name="Group">{rule.group}</Fact>
            <Fact name="File">{rule.file}</Fact>
            <Fact name="Fires after">
              {rule.for_s > 0 ? formatDuration(rule.for_s * 1000) : "the first evaluation"}
            </Fact>
            <Fact name="Looks at">{rule.type === "logs" ? "logs" : "metrics"}</Fact>
          </>
        )}
        {others.map(([name, text]) => (
          <Fact key={name} name={name}>
            <LinkedText text={text} />
          </Fact>
        ))}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
