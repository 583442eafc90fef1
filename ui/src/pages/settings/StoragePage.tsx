import type { Tenant, Tenants } from "../../api/access";
import list from "../../components/List.module.css";
import { Message } from "../../components/Message";
import { formatBytes, plural } from "../../lib/number";
import { Answer } from "./parts";
import styles from "./Settings.module.css";
import { SettingsFrame } from "./SettingsFrame";
import { useTenants } from "./useAccess";
import { retentionText } from "./words";

type Kind = "logs" | "series" | "traces";
const kinds: [kind: Kind, label: string][] = [
  ["logs", "logs"],
  ["series", "metrics"],
  ["traces", "traces"],
];

/** What each tenant takes of the disk, and how long it is kept. */
export function StoragePage() {
  const tenants = useTenants();
  return (
    <SettingsFrame title="Storage">
      <Answer query={tenants}>{(found) => <Found answer={found} />}</Answer>
    </SettingsFrame>
  );
}

function Found({ answer }: { answer: Tenants }) {
  const { tenants, total_bytes, journal_bytes } = answer;
  const bytes = tenants.map(bytesOf);
  const largest = Math.max(...bytes, 1);
  const retention = tenants[0]?.retention ?? "";
  const sorted = [...tenants].sort((a, b) => bytesOf(b) - bytesOf(a));
  if (tenants.length === 0) return <Message title="There is no tenant that you may read" />;
  return (
    <>
      <dl className={`panel ${styles.facts}`}>
        <Fact name="Kept for" value={retentionText(retention)} />
        <Fact
          name={total_bytes === null ? "On disk, of your tenants" : "On disk"}
          value={formatBytes(total_bytes ?? bytes.reduce((sum, one) => sum + one, 0))}
        />
        {journal_bytes !== null && <Fact name="Journals" value={formatBytes(journal_bytes)} />}
      </dl>
      <section className={`panel ${list.panel}`} aria-label="Storage by tenant">
        <div className={list.head}>
          <h2>By tenant</h2>
          <span className="text3 small">the largest first; bytes of sealed files</span>
        </div>
        <div className={styles.legend}>
          {kinds.map(([kind, label]) => (
            <span key={kind}>
              <span className={styles.swatch} data-kind={kind} />
              {label}
            </span>
          ))}
        </div>
        {sorted.map((tenant) => (
          <TenantBar key={tenant.name} tenant={tenant} largest={largest} />
        ))}
      </section>
      <p className={styles.lead}>
        Older data is dropped: <code>retention</code> in the collector's configuration says when, for every
        tenant, and <code>0</code> keeps it for ever. When the data takes more of the disk than{" "}
        <code>disk_share</code> allows, the oldest goes first.
      </p>
    </>
  );
}

function TenantBar({ tenant, largest }: { tenant: Tenant; largest: number }) {
  const { name, storage } = tenant;
  const parts = kinds.map(([kind, label]) => ({ kind, label, bytes: storage[`${kind}_bytes`] }));
  const text = parts
    .filter(({ bytes }) => bytes > 0)
    .map(({ label, bytes }) => `${label} ${formatBytes(bytes)}`)
    .join(", ");
  return (
    <div className={styles.tenant}>
      <h3>{name}</h3>
      <div className={styles.bar} role="img" aria-label={`${name}: ${text || "nothing"}`}>
        {parts
          .filter(({ bytes }) => bytes > 0)
          .map(({ kind, bytes }) => (
            <span
              key={kind}
              className={styles.part}
              data-kind={kind}
              style={{ width: `${(bytes / largest) * 100}%` }}
            />
          ))}
      </div>
      <span className={styles.total}>{formatBytes(bytesOf(tenant))}</span>
      <p className={styles.detail}>
        {text || "nothing stored"}
        {` · ${plural(storage.records, "record")}`}
        {storage.spans !== null && `, ${plural(storage.spans, "span")}`}
        {storage.samples !== null && `, ${plural(storage.samples, "sample")}`}
      </p>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function bytesOf({ storage }: Tenant): number {
  return storage.logs_bytes + storage.series_bytes + storage.traces_bytes;
}
