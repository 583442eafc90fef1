import { useQuery } from "@tanstack/react-query";
import { fetchReceivers, type Receivers } from "../../../api/receivers";
import { ConfigProblems } from "../../../components/ConfigProblems";
import { Failed } from "../../../components/Failed";
import list from "../../../components/List.module.css";
import { useShortcuts } from "../../../components/useShortcuts";
import { plural } from "../../../lib/number";
import { AlertsHeader } from "../AlertsHeader";
import { linesTo, routeLines } from "./model";
import { NobodyIsTold } from "./NobodyIsTold";
import { ReceiverPanel } from "./ReceiverPanel";
import styles from "./Receivers.module.css";
import { RouteTree } from "./RouteTree";

/** Who is told of alerts: by which routes, by what, and whether the last messages arrived. */
export function ReceiversPage() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["receivers"],
    queryFn: ({ signal }) => fetchReceivers(signal),
    refetchInterval: 15_000,
    staleTime: 0,
  });
  useShortcuts({ r: () => void refetch() });
  return (
    <>
      <AlertsHeader title="Receivers" shown="receivers">
        <span className="text3 small">{data && <>checked every 15&nbsp;s</>}</span>
      </AlertsHeader>
      <main className={list.page}>
        {error && !data ? (
          <Failed error={error} onRetry={() => void refetch()} />
        ) : isPending ? (
          <div className={`panel skeleton ${list.skeleton}`} />
        ) : (
          <Found receivers={data} />
        )}
      </main>
    </>
  );
}

function Found({ receivers: answer }: { receivers: Receivers }) {
  const { receivers, route, source, problems, notes } = answer;
  const lines = route ? routeLines(route) : [];
  const shipped = source === "shipped";
  const file = shipped ? "the shipped configuration" : source;
  return (
    <>
      <ConfigProblems
        file={file}
        problems={problems}
        consequence="The last version that could be read is in force until the file is mended."
      />
      <NobodyIsTold answer={answer} />
      <ConfigProblems file={file} problems={notes} consequence="What is noted has no effect." kind="note" />
      <p className={styles.source}>
        {shipped ? (
          <>
            By the configuration that came with Narrows. Your own goes into a file of Alertmanager's form;
            name it as <code>alertmanager_config</code> in the collector's configuration.
          </>
        ) : (
          <>
            By <code>{source}</code>. A change of the file is in force some seconds later.
          </>
        )}
      </p>
      {receivers.map((receiver) => (
        <ReceiverPanel key={receiver.name} receiver={receiver} lines={linesTo(lines, receiver.name)} />
      ))}
      {route && (
        <section className={`panel ${list.panel}`} aria-label="Routes">
          <div className={list.head}>
            <h2>Routes</h2>
            <span className="text3 small">
              {plural(lines.length, "route")}; an alert goes to the first that matches, and deeper where one
              below matches, too
            </span>
          </div>
          <RouteTree lines={lines} />
        </section>
      )}
    </>
  );
}
