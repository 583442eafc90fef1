import { useState } from "react";
import { CopyButton } from "../../components/CopyButton";
import { Icon } from "../../components/Icon";
import { TraceLink } from "../../components/TraceLink";
import { isObject, type Json, summary } from "../../lib/json";
import { formatCount } from "../../lib/number";
import { canName, fieldCondition } from "../../lib/query/edit";
import { fieldOf } from "./fields";
import styles from "./JsonTree.module.css";
import { useRecordActions } from "./RecordActions";

export interface Entry {
  key: string;
  value: Json;
  open: boolean;
}

interface JsonTreeProps {
  entries: Entry[];
  onFilter: (condition: string, exclude: boolean) => void;
}

const childLimit = 100;
const textLimit = 2000;

/** JSON as nested lists that fold. Values are text, never markup. */
export function JsonTree({ entries, onFilter }: JsonTreeProps) {
  return (
    <ul className={`${styles.tree} mono`}>
      {entries.map((entry) => (
        <Node
          key={entry.key}
          name={entry.key}
          path={[entry.key]}
          value={entry.value}
          initiallyOpen={entry.open}
          onFilter={onFilter}
        />
      ))}
    </ul>
  );
}

interface NodeProps {
  name: string;
  path: string[];
  value: Json;
  initiallyOpen: boolean;
  onFilter: JsonTreeProps["onFilter"];
}

function Node({ name, path, value, initiallyOpen, onFilter }: NodeProps) {
  if (typeof value === "object" && value !== null) {
    return <Branch name={name} path={path} value={value} initiallyOpen={initiallyOpen} onFilter={onFilter} />;
  }
  const condition = conditionOf(path, value);
  return (
    <li className={styles.leaf} data-condition={condition ?? undefined}>
      <Key name={name} />
      <ScalarText value={value} />
      <LeafActions field={fieldOf(path)} condition={condition} value={value} onFilter={onFilter} />
    </li>
  );
}

interface BranchProps extends NodeProps {
  value: Json[] | { [key: string]: Json };
}

function Branch({ name, path, value, initiallyOpen, onFilter }: BranchProps) {
  const children: [string, Json][] = isObject(value)
    ? Object.entries(value)
    : value.map((item, at) => [String(at), item]);
  const [open, setOpen] = useState(initiallyOpen && children.length > 0);
  const [limit, setLimit] = useState(childLimit);
  const brackets = isObject(value) ? ["{", "}"] : ["[", "]"];
  return (
    <li>
      <button
        type="button"
        className={styles.toggle}
        aria-expanded={open}
        disabled={children.length === 0}
        onClick={() => setOpen(!open)}
      >
        <Icon name={open ? "down" : "right"} small />
        <Key name={name} />
        <span className={styles.folded}>
          {open ? `${brackets[0]} ${formatCount(children.length)} ${brackets[1]}` : summary(value)}
        </span>
      </button>
      {open && (
        <ul>
          {children.slice(0, limit).map(([key, child]) => (
            <Node
              key={key}
              name={key}
              path={[...path, key]}
              value={child}
              initiallyOpen={false}
              onFilter={onFilter}
            />
          ))}
          {children.length > limit && (
            <li className={styles.leaf}>
              <button type="button" className="link" onClick={() => setLimit(children.length)}>
                show all {formatCount(children.length)}
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  );
}

function Key({ name }: { name: string }) {
  return (
    <span>
      <span className={styles.key}>{name}</span>
      <span className={styles.colon}>: </span>
    </span>
  );
}

function ScalarText({ value }: { value: Scalar }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string") {
    return <span className={value === null ? styles.folded : styles.number}>{String(value)}</span>;
  }
  const cut = !whole && value.length > textLimit;
  const multiline = value.includes("\n");
  const text = cut ? value.slice(0, textLimit) : value;
  return (
    <span className={styles.value}>
      <span className={multiline ? styles.block : styles.string}>
        {multiline ? text : JSON.stringify(text)}
      </span>
      {cut && (
        <button type="button" className="link" onClick={() => setWhole(true)}>
          show all {formatCount(value.length)} characters
        </button>
      )}
    </span>
  );
}

type Scalar = string | number | boolean | null;

/** What selects the records with this value here; null when the language cannot say it, or not in short. */
function conditionOf(path: string[], value: Scalar): string | null {
  const field = fieldOf(path);
  const short = value !== null && value !== "" && String(value).length <= 256;
  return field !== null && canName(field) && short ? fieldCondition(field, value) : null;
}

interface LeafActionsProps {
  field: string | null;
  condition: string | null;
  value: Scalar;
  onFilter: JsonTreeProps["onFilter"];
}

function LeafActions({ field, condition, value, onFilter }: LeafActionsProps) {
  const actions = useRecordActions();
  return (
    <span className={styles.actions}>
      {condition !== null && (
        <>
          <button
            type="button"
            className={styles.action}
            aria-label={`Filter by ${condition}`}
            aria-keyshortcuts="f"
            title="Filter by this value (f)"
            onClick={() => onFilter(condition, false)}
          >
            <Icon name="plus" small />
          </button>
          <button
            type="button"
            className={styles.action}
            aria-label={`Exclude ${condition}`}
            aria-keyshortcuts="x"
            title="Exclude this value (x)"
            onClick={() => onFilter(condition, true)}
          >
            <Icon name="minus" small />
          </button>
        </>
      )}
      {actions && field !== null && canName(field) && (
        <>
          <button
            type="button"
            className={styles.action}
            aria-label={actions.hasColumn(field) ? `Remove the column ${field}` : `Add ${field} as a column`}
            aria-pressed={actions.hasColumn(field)}
            title={actions.hasColumn(field) ? "Remove its column" : "Add as a column"}
            onClick={() => actions.toggleColumn(field)}
          >
            <Icon name="columns" small />
          </button>
          <button
            type="button"
            className={styles.action}
            aria-label={actions.hasFacet(field) ? `Remove the facet ${field}` : `Add ${field} as a facet`}
            aria-pressed={actions.hasFacet(field)}
            title={actions.hasFacet(field) ? "Remove its facet" : "Add as a facet"}
            onClick={() => actions.toggleFacet(field)}
          >
            <Icon name="facets" small />
          </button>
        </>
      )}
      {field === "trace_id" && typeof value === "string" && (
        <TraceLink traceId={value} className={styles.action} label="Open the trace">
          <Icon name="traces" small />
        </TraceLink>
      )}
      <CopyButton text={String(value)} label="Copy" className={`${styles.action} ${styles.copy}`} />
    </span>
  );
}
