import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { type DashboardRow, fetchDashboard, fetchDashboards } from "../../api/dashboards";
import { ApiError } from "../../api/http";
import { PageHeader } from "../../app/PageHeader";
import { usePaletteActions } from "../../app/palette/store";
import { FindField } from "../../components/FindField";
import { Icon } from "../../components/Icon";
import { Message } from "../../components/Message";
import { useFindText } from "../../components/useFindText";
import { fuzzyMatch } from "../../lib/fuzzy";
import { plural } from "../../lib/number";
import { formatMoment } from "../../lib/time/format";
import { headline, sentence } from "../../lib/words";
import styles from "./DashboardsPage.module.css";
import { DeleteDialog } from "./DashboardTools";
import { download } from "./download";
import { ImportDialog } from "./ImportDialog";
import { dashboardsKey } from "./keys";
import { decodeListView, encodeListView, type ListView } from "./url";

const route = getRouteApi("/dashboards");

/** Every dashboard: those that came with Narrows, and those of the team. */
export function DashboardsPage() {
  const view = decodeListView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const list = useQuery({
    queryKey: dashboardsKey,
    queryFn: ({ signal }) => fetchDashboards(signal),
    staleTime: 0,
  });
  const [importing, setImporting] = useState(false);
  const [deleting, setDeleting] = useState<DashboardRow | null>(null);
  usePaletteActions([
    { group: "Do", icon: "upload", label: "Import a dashboard", run: () => setImporting(true) },
  ]);
  const update = (change: Partial<ListView>) =>
    void navigate({ search: encodeListView({ ...view, ...change }), replace: true });
  const [text, setText] = useFindText(view.text, (found) => update({ text: found }));
  const all = list.data ?? [];
  const tags = [...new Set(all.flatMap((row) => row.tags))].sort();
  const shown = all.filter(
    (row) =>
      view.tags.every((tag) => row.tags.includes(tag)) &&
      (text.trim() === "" || fuzzyMatch(`${row.title} ${row.tags.join(" ")}`, text.trim()) !== null),
  );
  const toggle = (tag: string) =>
    update({ tags: view.tags.includes(tag) ? view.tags.filter((one) => one !== tag) : [...view.tags, tag] });
  return (
    <>
      <PageHeader title="Dashboards" />
      <main className={styles.page}>
        <div className={styles.tools}>
          <FindField
            label="Find a dashboard"
            placeholder="Find by title or tag"
            text={text}
            onText={setText}
          />
          {tags.length > 0 && (
            <fieldset className={styles.tags} aria-label="Tags">
              {tags.slice(0, 20).map((tag) => (
                <button
                  key={tag}
                  type="button"
                  className="button button-small"
                  aria-pressed={view.tags.includes(tag)}
                  onClick={() => toggle(tag)}
                >
                  {tag}
                </button>
              ))}
            </fieldset>
          )}
          <span className="text3 small" aria-live="polite">
            {all.length > 0 && plural(shown.length, "dashboard")}
            {shown.length < all.length && ` of ${all.length}`}
          </span>
          <span className="grow" />
          <button type="button" className="button button-primary" onClick={() => setImporting(true)}>
            <Icon name="upload" small />
            Import
          </button>
        </div>
        {list.error ? (
          <Message
            kind="error"
            title={headline(list.error.message)}
            actions={
              <button type="button" className="button" onClick={() => void list.refetch()}>
                Try again
              </button>
            }
          >
            {list.error instanceof ApiError && list.error.hint ? sentence(list.error.hint) : null}
          </Message>
        ) : list.isPending ? (
          <div className={`panel skeleton ${styles.skeleton}`} />
        ) : all.length === 0 ? (
          <Message title="There are no dashboards">
            Import one: a file of Grafana's, exported with “Export for sharing externally” or not.
          </Message>
        ) : shown.length === 0 ? (
          <Message
            title="No dashboard matches"
            actions={
              <button type="button" className="button" onClick={() => update({ text: "", tags: [] })}>
                Show all {all.length}
              </button>
            }
          />
        ) : (
          <section className={`panel ${styles.list}`} aria-label="List of dashboards" tabIndex={0}>
            <table className={styles.table} aria-label="Dashboards">
              <thead>
                <tr>
                  <th scope="col">Title</th>
                  <th scope="col">Tags</th>
                  <th scope="col">From</th>
                  <th scope="col">Saved, UTC</th>
                  <th scope="col">
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.map((row) => (
                  <Row key={row.uid} row={row} onDelete={() => setDeleting(row)} />
                ))}
              </tbody>
            </table>
          </section>
        )}
      </main>
      {importing && <ImportDialog known={all} onClose={() => setImporting(false)} />}
      {deleting && (
        <DeleteDialog uid={deleting.uid} title={deleting.title} onClose={() => setDeleting(null)} />
      )}
    </>
  );
}

function Row({ row, onDelete }: { row: DashboardRow; onDelete: () => void }) {
  const [failed, setFailed] = useState<string | null>(null);
  const save = async () => {
    try {
      download(`${row.uid}.json`, (await fetchDashboard(row.uid)).text);
      setFailed(null);
    } catch (cause) {
      setFailed(cause instanceof Error ? cause.message : String(cause));
    }
  };
  return (
    <tr>
      <th scope="row">
        <Link to="/d/$uid" params={{ uid: row.uid }} className={styles.title}>
          {row.title}
        </Link>
        {failed !== null && (
          <span role="alert" className={styles.failed}>
            {sentence(failed)}
          </span>
        )}
      </th>
      <td>
        <span className={styles.tags}>
          {row.tags.map((tag) => (
            <span key={tag} className="tag">
              {tag}
            </span>
          ))}
        </span>
      </td>
      <td>{row.source === "shipped" ? "Narrows" : "your team"}</td>
      <td className="tabular">
        {row.updated_at === null ? "–" : formatMoment(Date.parse(row.updated_at), "utc")}
      </td>
      <td className={styles.actions}>
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label={`Download ${row.title}`}
          title="Download JSON"
          onClick={() => void save()}
        >
          <Icon name="download" small />
        </button>
        {row.source === "saved" && (
          <button
            type="button"
            className="button button-quiet button-icon"
            aria-label={`Delete ${row.title}`}
            title="Delete"
            onClick={onDelete}
          >
            <Icon name="trash" small />
          </button>
        )}
      </td>
    </tr>
  );
}
