import type { Tenant } from "../../api/access";
import { useSession } from "../../app/session";
import list from "../../components/List.module.css";
import { formatCount, formatShare, plural } from "../../lib/number";
import { Answer } from "./parts";
import styles from "./Settings.module.css";
import { SettingsFrame } from "./SettingsFrame";
import { useTenants } from "./useAccess";
import { rateText, retentionText, shareLevel, shareOf } from "./words";

/** Whose data is kept apart, and what each may send. */
export function TenantsPage() {
  const tenants = useTenants();
  return (
    <SettingsFrame title="Tenants">
      <p className={styles.lead}>
        Tenants and their limits stand in the collector's configuration, under <code>tenants</code>; a limit
        is in force after a start. What is beyond one is refused and counted.
      </p>
      <Answer query={tenants}>
        {({ tenants: found }) => (
          <section className={`panel ${list.panel} ${list.scroll}`} aria-label="List of tenants">
            <table className={`${list.table} ${list.cards}`} aria-label="Tenants">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">You are</th>
                  <th scope="col">Kept for</th>
                  <th scope="col">May send</th>
                  <th scope="col">Active series</th>
                  <th scope="col">Of one metric</th>
                </tr>
              </thead>
              <tbody>
                {found.map((tenant) => (
                  <Row key={tenant.name} tenant={tenant} />
                ))}
              </tbody>
            </table>
          </section>
        )}
      </Answer>
    </SettingsFrame>
  );
}

function Row({ tenant }: { tenant: Tenant }) {
  const { tenant: looked } = useSession();
  const { name, configured, role, retention, limits, storage } = tenant;
  return (
    <tr>
      <th scope="row" className={list.name}>
        {name}
        {name === looked && <span className={`text3 ${styles.me}`}> shown now</span>}
        {!configured && <span className={`small ${list.warn}`}> no longer configured</span>}
      </th>
      <td data-label="you are" data-quiet={role === null}>
        {role ?? "no role"}
      </td>
      <td data-label="kept for">{retentionText(retention)}</td>
      <td
        data-label="may send"
        data-quiet={limits.ingest_bytes_per_second === null && limits.ingest_records_per_second === null}
      >
        {rateText(limits.ingest_bytes_per_second, limits.ingest_records_per_second)}
      </td>
      <td data-label="series">
        <Used used={storage.active_series} limit={limits.active_series} />
      </td>
      <td data-label="of one metric" data-quiet={limits.active_series_per_metric === null}>
        {limits.active_series_per_metric === null ? "no limit" : formatCount(limits.active_series_per_metric)}
      </td>
    </tr>
  );
}

/** How much of a limit is used, as numbers and as a bar. */
function Used({ used, limit }: { used: number; limit: number | null }) {
  const share = shareOf(used, limit);
  if (limit === null || share === null) return <>{plural(used, "series", "series")}, no limit</>;
  const level = shareLevel(share);
  return (
    <span className={styles.used}>
      <span className={level === "none" ? undefined : list[level]}>
        {formatCount(used)} of {formatCount(limit)}, {formatShare(share)}
      </span>
      <span className={styles.bar}>
        {used > 0 && (
          <span
            className={styles.part}
            data-kind="used"
            data-level={level}
            style={{ width: `${Math.min(100, share * 100)}%` }}
          />
        )}
      </span>
    </span>
  );
}
