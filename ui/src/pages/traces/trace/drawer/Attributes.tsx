import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { CopyButton } from "../../../../components/CopyButton";
import { Icon } from "../../../../components/Icon";
import type { Json } from "../../../../lib/json";
import { plural } from "../../../../lib/number";
import { canName, fieldCondition } from "../../../../lib/query/edit";
import { encodeTracesView, plainView } from "../../url";
import styles from "./SpanDrawer.module.css";

interface AttributesProps {
  values: { [key: string]: Json };
  section: "attributes" | "resource";
  empty: string;
  dropped: number;
}

const shownAtFirst = 60;

/** Keys and values; a value leads to the traces that have it, too. */
export function Attributes({ values, section, empty, dropped }: AttributesProps) {
  const [all, setAll] = useState(false);
  const entries = Object.entries(values);
  if (entries.length === 0) return <p className={styles.note}>{empty}</p>;
  return (
    <>
      <dl className={styles.pairs}>
        {entries.slice(0, all ? undefined : shownAtFirst).map(([name, value]) => (
          <Pair key={name} name={name} value={value} condition={conditionOf(section, name, value)} />
        ))}
      </dl>
      {entries.length > shownAtFirst && !all && (
        <button type="button" className={`link ${styles.note}`} onClick={() => setAll(true)}>
          Show all {entries.length}
        </button>
      )}
      {dropped > 0 && <p className={styles.note}>The program dropped {plural(dropped, "more attribute")}.</p>}
    </>
  );
}

export function Pair({ name, value, condition }: { name: string; value: Json; condition: string | null }) {
  const [open, setOpen] = useState(false);
  const text = typeof value === "string" ? value : JSON.stringify(value, null, open ? 2 : undefined);
  return (
    <div className={styles.pair}>
      <dt className="mono" title={name}>
        {name}
      </dt>
      <dd className="mono">
        <button
          type="button"
          className={styles.value}
          data-open={open}
          aria-expanded={open}
          title={open ? "Shorten" : text.slice(0, 2000)}
          onClick={() => window.getSelection()?.isCollapsed !== false && setOpen(!open)}
        >
          {open ? text : text.slice(0, 400)}
        </button>
        <span className={styles.actions}>
          {condition !== null && (
            <Link
              to="/traces"
              search={encodeTracesView({ ...plainView, query: condition })}
              className={styles.action}
              aria-label={`Traces with ${condition}`}
              title="Traces with this value"
            >
              <Icon name="search" small />
            </Link>
          )}
          <CopyButton text={text} label="Copy" className={`${styles.action} ${styles.copy}`} />
        </span>
      </dd>
    </div>
  );
}

/** Names that mean something else to a query when they stand alone. */
const ownNames = new Set(
  "service host name operation kind status status_message duration trace_id span_id parent_id root scope event".split(
    " ",
  ),
);

function conditionOf(section: "attributes" | "resource", name: string, value: Json): string | null {
  if (value === null || typeof value === "object" || value === "" || String(value).length > 256) return null;
  if (!canName(name)) return null;
  if (section === "resource") {
    if (name === "service.name") return fieldCondition("service", value);
    return name === "host.name" ? fieldCondition("host", value) : fieldCondition(`resource.${name}`, value);
  }
  return fieldCondition(ownNames.has(name) ? `attributes.${name}` : name, value);
}
