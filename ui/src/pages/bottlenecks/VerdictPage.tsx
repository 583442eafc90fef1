import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { StoredWithRevisions } from "../../api/bottlenecks";
import { ApiError } from "../../api/http";
import { PageHeader } from "../../app/PageHeader";
import { Failed } from "../../components/Failed";
import { Icon } from "../../components/Icon";
import { Message } from "../../components/Message";
import { useShortcuts } from "../../components/useShortcuts";
import { ClockTools } from "../alerts/ClockTools";
import { Stale } from "../alerts/states";
import { Candidates } from "./Candidates";
import { CohortPanel } from "./CohortPanel";
import { EvidenceCards } from "./EvidenceCards";
import { EvidenceDrawer } from "./EvidenceDrawer";
import { HopFunnel } from "./HopFunnel";
import { shortId } from "./model";
import { NextPanel } from "./NextPanel";
import { PathStrip } from "./PathStrip";
import { RuledOutPanel } from "./RuledOutPanel";
import { SymptomPanel } from "./SymptomPanel";
import { decodeVerdictView, encodeVerdictView, type VerdictView } from "./url";
import { useVerdict } from "./useVerdicts";
import { VerdictHead } from "./VerdictHead";
import styles from "./VerdictPage.module.css";

const route = getRouteApi("/bottlenecks/$id");

/** One verdict in one screen: the sentence, the path, the proof, what was ruled out. Links in messages lead here. */
export function VerdictPage() {
  const { id } = route.useParams();
  const view = decodeVerdictView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const verdict = useVerdict(id, view.rev, view.refreshS);
  const refresh = () => void verdict.refetch();
  // Another revision is a step to come back from; what is looked at within one is not.
  const update = (change: Partial<VerdictView>) =>
    void navigate({ search: encodeVerdictView({ ...view, ...change }), replace: change.rev === undefined });
  const missing = verdict.error instanceof ApiError && verdict.error.status === 404;
  return (
    <>
      <PageHeader title={shortId(id)} lead={<Crumb />}>
        <ClockTools clock={view} onRefresh={refresh} onChange={update} />
      </PageHeader>
      {verdict.data ? (
        <Shown
          stored={verdict.data}
          view={view}
          stale={<Stale error={verdict.error} sinceMs={verdict.dataUpdatedAt} zone={view.zone} />}
          onChange={update}
        />
      ) : (
        <main className={styles.waiting}>
          {missing ? (
            <Message
              title="There is no such verdict"
              actions={
                <Link to="/bottlenecks" className="button">
                  Open all verdicts
                </Link>
              }
            >
              The link names <code>{id}</code>
              {view.rev !== null && <> in revision {view.rev}</>}. It may be older than what is kept.
            </Message>
          ) : verdict.error ? (
            <Failed error={verdict.error} onRetry={refresh} />
          ) : (
            <Skeleton />
          )}
        </main>
      )}
    </>
  );
}

function Crumb() {
  return (
    <Link to="/bottlenecks" className={styles.crumb} aria-label="All bottlenecks">
      <Icon name="bottleneck" small />
      <span className={styles.crumbText}>Bottlenecks</span>
      <Icon name="right" small />
    </Link>
  );
}

interface ShownProps {
  stored: StoredWithRevisions;
  view: VerdictView;
  stale: ReactNode;
  onChange: (change: Partial<VerdictView>) => void;
}

function Shown({ stored, view, stale, onChange }: ShownProps) {
  const { verdict } = stored;
  const { zone } = view;
  const at = view.evidence;
  const opened = at === null ? undefined : verdict.evidence[at];
  const open = (evidence: number | null) => onChange({ evidence });
  const step = (by: number) =>
    opened && open(((at ?? 0) + by + verdict.evidence.length) % verdict.evidence.length);
  useShortcuts(opened ? { j: () => step(1), k: () => step(-1) } : {});
  return (
    <div className={styles.split}>
      <main className={styles.page}>
        <div className={styles.grid}>
          <VerdictHead stored={stored} view={view} stale={stale} onChange={onChange} />
          {verdict.culprit === null ? (
            <Candidates verdict={verdict} zone={zone} />
          ) : (
            <PathStrip verdict={verdict} zone={zone} />
          )}
          <div className={styles.charts}>
            <SymptomPanel stored={stored} zone={zone} />
            <HopFunnel verdict={verdict} kept={view.kept} onKept={(kept) => onChange({ kept })} />
          </div>
          <EvidenceCards stored={stored} zone={zone} opened={opened ? at : null} onOpen={open} />
          <div className={styles.bottom}>
            <CohortPanel stored={stored} zone={zone} />
            <RuledOutPanel verdict={verdict} />
            <NextPanel verdict={verdict} />
          </div>
        </div>
      </main>
      {opened && at !== null && (
        <EvidenceDrawer
          key={at}
          stored={stored}
          at={at}
          evidence={opened}
          zone={zone}
          onStep={step}
          onClose={() => open(null)}
        />
      )}
    </div>
  );
}

function Skeleton() {
  return (
    <>
      <span className="visually-hidden" role="status">
        Asking
      </span>
      {[88, 84, 262, 132].map((height) => (
        <div key={height} className="skeleton" style={{ height }} />
      ))}
    </>
  );
}
