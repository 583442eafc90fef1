import { Link } from "@tanstack/react-router";
import type { Stored } from "../../api/bottlenecks";
import { Icon } from "../../components/Icon";
import type { Zone } from "../../lib/time/zone";
import { matchService, type Role } from "./match";
import { noteText, shortId } from "./model";
import styles from "./Parts.module.css";
import { encodeVerdictView, plainVerdict } from "./url";
import { useOpenVerdicts } from "./useVerdicts";

interface VerdictNoteProps {
  stored: Stored;
  /** What that page shows has to do with it. */
  plays: Role;
  zone: Zone;
}

/** One click to the verdict, from a page that it is about. */
export function VerdictNote({ stored, plays, zone }: VerdictNoteProps) {
  const kind = plays === "bottleneck" || plays === "contributes" ? plays : "other";
  return (
    <aside
      className={styles.note}
      data-vague={stored.verdict.culprit === null || undefined}
      aria-label="Bottleneck"
    >
      <Icon name="bottleneck" small />
      <span className={styles.noteText}>
        {noteText(stored, kind)} <VerdictLink id={stored.id} zone={zone} />
      </span>
    </aside>
  );
}

export function VerdictLink({ id, zone }: { id: string; zone: Zone }) {
  return (
    <Link
      to="/bottlenecks/$id"
      params={{ id }}
      search={encodeVerdictView({ ...plainVerdict, zone })}
      className="link"
    >
      Verdict {shortId(id)}
    </Link>
  );
}

/** The open verdict that a service plays a part in, if there is one. */
export function ServiceVerdict({ service, zone }: { service: string; zone: Zone }) {
  const { data } = useOpenVerdicts();
  const match = matchService(data ?? [], service);
  return match && <VerdictNote stored={match.stored} plays={match.role} zone={zone} />;
}
