import { getRouteApi, Link } from "@tanstack/react-router";
import { ApiError } from "../../../api/http";
import { PageHeader } from "../../../app/PageHeader";
import { Failed } from "../../../components/Failed";
import { Icon } from "../../../components/Icon";
import list from "../../../components/List.module.css";
import { Message } from "../../../components/Message";
import { StateDot } from "../../../components/StateDot";
import { draftOf } from "../../../components/silence/draft";
import { SilenceForm } from "../../../components/silence/SilenceForm";
import { formatMoment } from "../../../lib/time/format";
import { stateAt, whenText } from "./model";
import styles from "./Silences.module.css";
import { useSilence } from "./useSilences";

const route = getRouteApi("/alerts/silences/$id");

/** One silence: what it matches, to be changed; one that ended, to begin anew. */
export function SilencePage() {
  const { id } = route.useParams() as { id: string };
  const navigate = route.useNavigate();
  const { data, error, isPending, refetch } = useSilence(id);
  const nowMs = Date.now();
  const state = data ? stateAt(data, nowMs) : null;
  const back = () => void navigate({ to: "/alerts/silences" });
  return (
    <>
      <PageHeader
        title={state === "expired" ? "Begin a silence anew" : "Silence"}
        lead={
          <Link to="/alerts/silences" className={`link small ${styles.crumb}`}>
            <Icon name="silenced" small />
            All silences
          </Link>
        }
      />
      <main className={list.page}>
        {data && state ? (
          <>
            <p className={styles.about}>
              <StateDot level={state === "active" ? "some" : "none"}>{state}</StateDot>
              <span>{whenText(data, state, nowMs)}</span>
              <span>
                by {data.createdBy}, changed {formatMoment(Date.parse(data.updatedAt), "utc")} UTC
              </span>
            </p>
            <SilenceForm
              key={data.updatedAt}
              initial={draftOf(data, "utc", nowMs)}
              {...(state !== "expired" && { id })}
              onSaved={back}
              onCancel={back}
            />
          </>
        ) : isPending ? (
          <div className={`panel skeleton ${list.skeleton}`} />
        ) : error instanceof ApiError && error.status === 404 ? (
          <Message
            title="This silence is not here"
            actions={
              <Link to="/alerts/silences" className="button">
                All silences
              </Link>
            }
          >
            Silences that ended are kept for 5&nbsp;days. A silence that is changed may get another id.
          </Message>
        ) : (
          error && <Failed error={error} onRetry={() => void refetch()} />
        )}
      </main>
    </>
  );
}
