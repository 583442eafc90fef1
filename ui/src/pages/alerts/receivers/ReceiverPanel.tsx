import { useMutation } from "@tanstack/react-query";
import { type Delivery, type Receiver, type TestResult, testReceiver } from "../../../api/receivers";
import { useMayEdit } from "../../../app/roles";
import { Icon } from "../../../components/Icon";
import list from "../../../components/List.module.css";
import { formatExact, formatTook, plural } from "../../../lib/number";
import { formatMoment } from "../../../lib/time/format";
import { sentence } from "../../../lib/words";
import { integrationKey, kindName, type RouteLine, reaches } from "./model";
import styles from "./Receivers.module.css";
import { RouteTree } from "./RouteTree";

/** One receiver: its integrations with their last delivery, the routes that lead here, and a test of all. */
export function ReceiverPanel({ receiver, lines }: { receiver: Receiver; lines: RouteLine[] }) {
  const { name, integrations, routes } = receiver;
  const { allowed, why } = useMayEdit();
  const test = useMutation({ mutationFn: () => testReceiver(name) });
  const reason = allowed ? (reaches(receiver) ? null : "There is nobody to send to.") : why;
  const results = new Map((test.data ?? []).map((result) => [integrationKey(result), result]));
  return (
    <section className={`panel ${list.panel}`} aria-label={`Receiver ${name}`}>
      <div className={list.head}>
        <h2>{name}</h2>
        <span className="text3 small">
          {routes === 0
            ? "no route leads here"
            : `${plural(routes, "route")} ${routes === 1 ? "leads" : "lead"} here`}
        </span>
        <span className="grow" />
        <button
          type="button"
          className="button button-small"
          disabled={reason !== null || test.isPending}
          title={reason ?? undefined}
          onClick={() => test.mutate()}
        >
          <Icon name="send" small />
          <span>
            {test.isPending ? "Sending" : "Send test"}
            <span className="visually-hidden"> to {name}</span>
          </span>
        </button>
      </div>
      <div role="status" className={styles.outcome}>
        {test.error && <p className={list.crit}>The test was not sent: {sentence(test.error.message)}</p>}
        {test.data && <p>{outcomeText(test.data)}</p>}
      </div>
      {integrations.length === 0 ? (
        <p className={list.note}>No integration: what comes here is not told to anybody.</p>
      ) : (
        <div className={list.scroll}>
          <table className={`${list.table} ${styles.integrations}`} aria-label={`Integrations of ${name}`}>
            <thead>
              <tr>
                <th scope="col">Sends by</th>
                <th scope="col">To</th>
                <th scope="col">Last message, UTC</th>
                <th scope="col" data-wide="1" data-align="right">
                  Sent
                </th>
                <th scope="col" data-wide="1" data-align="right">
                  Failed
                </th>
                <th scope="col" data-wide="2">
                  When resolved
                </th>
              </tr>
            </thead>
            <tbody>
              {integrations.map((one) => (
                <tr key={integrationKey(one)}>
                  <th scope="row" className={list.name}>
                    {kindName(one.kind)}
                  </th>
                  <td className={styles.target}>{one.target || "–"}</td>
                  <td>
                    {one.supported ? (
                      <>
                        <LastMessage last={one.last} />
                        <Result result={results.get(integrationKey(one))} />
                      </>
                    ) : (
                      <span className={list.warn}>
                        not sent yet: Narrows reads this kind, and sends nothing to it
                      </span>
                    )}
                  </td>
                  <td data-wide="1" data-align="right" data-quiet={one.sent === 0}>
                    {formatExact(one.sent)}
                  </td>
                  <td data-wide="1" data-align="right" data-quiet={one.failed === 0}>
                    <span className={one.failed > 0 ? list.warn : undefined}>{formatExact(one.failed)}</span>
                  </td>
                  <td data-wide="2" data-quiet={!one.send_resolved}>
                    {one.send_resolved ? "told, too" : "not told"}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {lines.length > 0 && (
        <div className={styles.leads}>
          <h3>Comes here</h3>
          <RouteTree lines={lines} flat />
        </div>
      )}
    </section>
  );
}

function LastMessage({ last }: { last: Delivery | null }) {
  if (!last) return <span className="text3">none since the start</span>;
  return (
    <span className={styles.last}>
      <span>
        {formatMoment(Date.parse(last.at), "utc")}, {formatTook(last.took_ms)}
      </span>
      {last.error !== null && <span className={list.crit}>failed: {last.error}</span>}
    </span>
  );
}

function Result({ result }: { result: TestResult | undefined }) {
  if (!result) return null;
  return (
    <span className={styles.result} data-ok={result.ok}>
      <Icon name={result.ok ? "check" : "alert"} small />
      {result.ok
        ? `test arrived in ${formatTook(result.took_ms)}`
        : `test failed: ${result.error ?? "no reason given"}`}
    </span>
  );
}

function outcomeText(results: TestResult[]): string {
  const failed = results.filter(({ ok }) => !ok).length;
  if (results.length === 0) return "Nothing was sent: no integration takes messages.";
  if (failed === 0) return `The test arrived everywhere: ${plural(results.length, "message")}.`;
  return `The test failed at ${failed} of ${plural(results.length, "integration")}.`;
}
