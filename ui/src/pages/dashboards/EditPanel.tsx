import { type FormEvent, useState } from "react";
import { Dialog } from "../../components/Dialog";
import styles from "../../components/Dialog.module.css";
import type { Panel } from "../../lib/dashboard/model";
import { extentAt, replacedAt } from "../../lib/dashboard/text";
import { unitIds } from "./unitIds";

interface EditPanelProps {
  panel: Panel;
  text: string;
  onDone: (text: string) => void;
  onClose: () => void;
}

/** Title, unit and queries; the rest of the panel stays in the JSON as it is. */
export function EditPanel({ panel, text, onDone, onClose }: EditPanelProps) {
  const [title, setTitle] = useState(panel.title);
  const [unit, setUnit] = useState(panel.field.unit);
  const [targets, setTargets] = useState(panel.targets.map(({ expr, legend }) => ({ expr, legend })));
  const edit = (at: number, change: { expr?: string; legend?: string }) =>
    setTargets(targets.map((one, index) => (index === at ? { ...one, ...change } : one)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onDone(editedPanel(text, panel, { title, unit, targets }));
  };
  const draws = panel.kind !== "text" && panel.kind !== "logs" && panel.kind !== "other";
  return (
    <Dialog title={`Edit ${panel.title || panel.type}`} wide onClose={onClose}>
      <form onSubmit={submit} style={{ display: "grid", gap: 12 }}>
        <label className={styles.label}>
          Title
          <input className="field" value={title} onChange={(event) => setTitle(event.target.value)} />
        </label>
        {draws && (
          <label className={styles.label}>
            Unit
            <input
              className="field"
              list="units"
              value={unit}
              spellCheck={false}
              onChange={(event) => setUnit(event.target.value)}
            />
            <datalist id="units">
              {unitIds.map((id) => (
                <option key={id} value={id} />
              ))}
            </datalist>
          </label>
        )}
        {panel.targets.map((target, at) =>
          target.datasource.kind === "other" ? (
            <p key={target.refId} className="text3 small">
              Query {target.refId} asks {target.datasource.name}; it is edited in the JSON.
            </p>
          ) : (
            <div key={target.path.join(".")} style={{ display: "grid", gap: 4 }}>
              <label className={styles.label}>
                Query {target.refId}
                <textarea
                  className={styles.code}
                  data-low="true"
                  spellCheck={false}
                  value={targets[at]?.expr ?? ""}
                  onChange={(event) => edit(at, { expr: event.target.value })}
                />
              </label>
              {panel.kind !== "logs" && panel.kind !== "table" && (
                <label className={styles.label}>
                  Names of {target.refId}
                  <input
                    className="field"
                    placeholder="{{label}}, or by the labels that differ"
                    spellCheck={false}
                    value={targets[at]?.legend ?? ""}
                    onChange={(event) => edit(at, { legend: event.target.value })}
                  />
                </label>
              )}
            </div>
          ),
        )}
        <div className={styles.row}>
          <button type="submit" className="button button-primary">
            Apply
          </button>
          <button type="button" className="button button-quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface Edited {
  title: string;
  unit: string;
  targets: { expr: string; legend: string }[];
}

/** The dashboard's JSON with what was changed; everything else to the letter. */
export function editedPanel(text: string, panel: Panel, { title, unit, targets }: Edited): string {
  let next = text;
  if (title !== panel.title) next = replacedAt(next, [...panel.path, "title"], title);
  if (unit !== panel.field.unit) next = withUnit(next, panel, unit);
  for (const [at, target] of panel.targets.entries()) {
    const edited = targets[at];
    if (!edited) continue;
    if (edited.expr !== target.expr) next = replacedAt(next, [...target.path, "expr"], edited.expr);
    if (edited.legend !== target.legend)
      next = replacedAt(
        next,
        [...target.path, "legendFormat"],
        edited.legend === "" ? "__auto" : edited.legend,
      );
  }
  return next;
}

/** Where the panel's form has its unit: today's, the older graph's, the older single number's. */
function withUnit(text: string, { path, type }: Panel, unit: string): string {
  if (type === "graph" && extentAt(text, [...path, "yaxes", 0]))
    return replacedAt(text, [...path, "yaxes", 0, "format"], unit);
  if (type === "singlestat") return replacedAt(text, [...path, "format"], unit);
  let next = text;
  for (const missing of [["fieldConfig"], ["fieldConfig", "defaults"]])
    if (!extentAt(next, [...path, ...missing])) next = replacedAt(next, [...path, ...missing], {});
  return replacedAt(next, [...path, "fieldConfig", "defaults", "unit"], unit);
}
