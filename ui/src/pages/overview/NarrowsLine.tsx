import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { fetchStatus, type Status } from "../../api/status";
import { Icon } from "../../components/Icon";
import { formatBytes, formatCount, plural } from "../../lib/number";
import { formatDuration } from "../../lib/time/format";
import { sentence } from "../../lib/words";
import { healthOf } from "./health";
import styles from "./Overview.module.css";

/** Is Narrows itself well? One line. */
export function NarrowsLine({ refreshS }: { refreshS: number | null }) {
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => fetchStatus(signal),
    refetchInterval: refreshS === null ? false : refreshS * 1000,
    staleTime: 0,
  });
  return (
    <section className={`panel ${styles.narrows}`} aria-label="Narrows itself">
      <Icon name="status" small />
      <Link to="/status" className="link">
        Narrows
      </Link>
      {status.error ? (
        <span className={styles.bad} role="alert">
          <Icon name="alert" small />
          {sentence(status.error.message)}
        </span>
      ) : (
        status.data && <Health status={status.data} />
      )}
    </section>
  );
}

function Health({ status }: { status: Status }) {
  const { troubles, agents, silent, newestMs } = healthOf(status, Date.now());
  return (
    <>
      {troubles.map((trouble) => (
        <span key={trouble} className={styles.bad} role="alert">
          <Icon name="alert" small />
          {sentence(trouble)}
        </span>
      ))}
      <span className={silent > 0 ? styles.doubt : undefined}>
        agents{" "}
        <span className="text1">
          {silent > 0 ? `${agents - silent} of ${agents} seen` : formatCount(agents)}
        </span>
      </span>
      <span>
        newest log <span className="text1">{newestMs === null ? "none yet" : `${ageOf(newestMs)} old`}</span>
      </span>
      <span>
        logs <span className="text1">{plural(status.logs.records, "record")}</span>
      </span>
      <span>
        on disk <span className="text1">{formatBytes(status.logs.bytes_on_disk)}</span>
      </span>
      <span>
        up for <span className="text1">{formatDuration(status.uptime_s * 1000)}</span>
      </span>
    </>
  );
}

function ageOf(ms: number): string {
  return ms < 1000 ? "under 1\u00a0s" : formatDuration(ms);
}
