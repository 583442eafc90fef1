import { useState } from "react";
import type { LogRecord } from "../../api/logs";
import { Icon } from "../../components/Icon";
import { useRecordActions } from "./RecordActions";

/** Leads from one record to every record around it, in the page's list. */
export function ShowInList({ record }: { record: LogRecord }) {
  const actions = useRecordActions();
  const [failed, setFailed] = useState(false);
  if (!actions) return null;
  const show = () => {
    setFailed(false);
    actions.showInList(record).catch(() => setFailed(true));
  };
  return (
    <button
      type="button"
      className="button button-small button-quiet"
      title="Every record of this moment, whatever the query"
      onClick={show}
    >
      <Icon name="logs" small />
      <span aria-live="polite">
        {failed ? "The collector did not answer. Try again" : "Show in the list"}
      </span>
    </button>
  );
}
