import { Link } from "@tanstack/react-router";
import type { AlertingRule, Labels } from "../../../api/rules";
import { CopyButton } from "../../../components/CopyButton";
import { Drawer, DrawerSection, Fact, Facts } from "../../../components/Drawer";
import { Icon } from "../../../components/Icon";
import list from "../../../components/List.module.css";
import { QueryCode } from "../../../components/query/QueryCode";
import { StateDot } from "../../../components/StateDot";
import { formatTook, plural } from "../../../lib/number";
import { formatDuration, formatMoment } from "../../../lib/time/format";
import { sentence } from "../../../lib/words";
import { encodeLogsView, plainView as plainLogs } from "../../logs/url";
import { encodeMetricsView, plainView as plainMetrics } from "../../metrics/url";
import { evaluatedMs, type FoundRule } from "./model";
import { stateLevels } from "./RuleFile";
import styles from "./Rules.module.css";

const alertLimit = 50;

/** Everything about one rule, and what it says of whom. */
export function RuleDrawer({ found, onClose }: { found: FoundRule; onClose: () => void }) {
  const { rule, state, group } = found;
  const atMs = evaluatedMs(rule.lastEvaluation);
  return (
    <Drawer
      title={rule.name}
      tools={<StateDot level={stateLevels[state]}>{state}</StateDot>}
      onClose={onClose}
    >
      {rule.lastError !== null && rule.lastError !== "" && (
        <p className={styles.error} role="status">
          {sentence(rule.lastError)}
        </p>
      )}
      <DrawerSection title={rule.language === "logs" ? "Search" : "Query"}>
        <QueryCode text={rule.query} language={rule.language} className={styles.code} />
        <div className={styles.links}>
          <QueryLink query={rule.query} language={rule.language} />
          <CopyButton text={rule.query} label="Copy" />
        </div>
      </DrawerSection>
      <DrawerSection title="When">
        <Facts>
          {rule.type === "alerting" && (
            <>
              <Fact name="Fires after">
                {rule.duration === 0 ? "at once" : formatDuration(rule.duration * 1000)}
              </Fact>
              {rule.keepFiringFor > 0 && (
                <Fact name="Keeps firing">{formatDuration(rule.keepFiringFor * 1000)} longer</Fact>
              )}
            </>
          )}
          <Fact name="Evaluated every">{formatDuration(group.interval * 1000)}</Fact>
          <Fact name="Last, UTC">{atMs === null ? "not yet" : formatMoment(atMs, "utc")}</Fact>
          {atMs !== null && <Fact name="Took">{formatTook(rule.evaluationTime * 1000)}</Fact>}
          <Fact name="Group">{group.name}</Fact>
          <Fact name="File">
            <span className="mono">{group.file}</span>
          </Fact>
        </Facts>
      </DrawerSection>
      {Object.keys(rule.labels).length > 0 && (
        <DrawerSection title="Labels">
          <LabelTags labels={rule.labels} />
        </DrawerSection>
      )}
      {rule.type === "alerting" && (
        <>
          {Object.keys(rule.annotations).length > 0 && (
            <DrawerSection title="Annotations">
              <Facts>
                {Object.entries(rule.annotations).map(([name, text]) => (
                  <Fact key={name} name={name}>
                    {text}
                  </Fact>
                ))}
              </Facts>
            </DrawerSection>
          )}
          <Alerts rule={rule} />
        </>
      )}
    </Drawer>
  );
}

function QueryLink({ query, language }: { query: string; language: "promql" | "logs" }) {
  return language === "logs" ? (
    <Link to="/logs" search={encodeLogsView({ ...plainLogs, query })} className="button button-small">
      <Icon name="logs" small />
      Open in Logs
    </Link>
  ) : (
    <Link
      to="/explore"
      search={encodeMetricsView({ ...plainMetrics, queries: [{ text: query, legend: "", hidden: false }] })}
      className="button button-small"
    >
      <Icon name="metrics" small />
      Graph in Metrics
    </Link>
  );
}

function Alerts({ rule }: { rule: AlertingRule }) {
  const { alerts } = rule;
  const filter = `{alertname=${JSON.stringify(rule.name)}}`;
  return (
    <DrawerSection title="Alerts">
      {alerts.length === 0 ? (
        <p className="text3 small">None now.</p>
      ) : (
        <>
          <Link to="/alerts" search={{ filter }} className="link small">
            {plural(alerts.length, "alert")} in the list
          </Link>
          <ul className={styles.alerts}>
            {alerts.slice(0, alertLimit).map(({ labels, state, activeAt, value }) => (
              <li key={JSON.stringify(labels)} className={styles.alert}>
                <span className={styles.alertHead}>
                  <StateDot level={stateLevels[state]}>{state}</StateDot>
                  <span>value {value}</span>
                </span>
                {activeAt !== null && (
                  <span className="text3">since {formatMoment(Date.parse(activeAt), "utc")} UTC</span>
                )}
                <LabelTags labels={labels} without="alertname" />
              </li>
            ))}
          </ul>
          {alerts.length > alertLimit && (
            <p className="text3 small">and {alerts.length - alertLimit} more in the list</p>
          )}
        </>
      )}
    </DrawerSection>
  );
}

function LabelTags({ labels, without }: { labels: Labels; without?: string }) {
  return (
    <span className={list.tags}>
      {Object.entries(labels)
        .filter(([name]) => name !== without)
        .map(([name, value]) => (
          <span key={name} className="tag mono">
            {name}={value}
          </span>
        ))}
    </span>
  );
}
