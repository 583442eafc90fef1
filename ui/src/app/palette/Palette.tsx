import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Icon } from "../../components/Icon";
import { sentence } from "../../lib/words";
import { matchItems, type PaletteItem, type ShownItem } from "./items";
import styles from "./Palette.module.css";
import { setPaletteOpen, usePaletteOpen } from "./store";
import { usePaletteItems } from "./usePaletteItems";

/** `Ctrl K`: pages, actions, saved views, recent queries, a pasted id. Everything by a few letters. */
export function Palette({ onHelp }: { onHelp: () => void }) {
  const opened = usePaletteOpen();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      const pressed = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
      if (!pressed || event.shiftKey || event.altKey) return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    if (opened) dialog.current?.showModal();
    else dialog.current?.close();
  }, [opened]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes a dialog by itself
    <dialog
      ref={dialog}
      className={`${styles.dialog} floating`}
      aria-label="Go to or search"
      onClose={() => setPaletteOpen(false)}
      onClick={(event) => event.target === dialog.current && setPaletteOpen(false)}
    >
      {opened && <PaletteBody onHelp={onHelp} />}
    </dialog>
  );
}

function PaletteBody({ onHelp }: { onHelp: () => void }) {
  const [text, setText] = useState("");
  const [only, setOnly] = useState<string | null>(null);
  const [activeId, setActiveId] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const id = useId();
  const { known, byId, logsById, search } = usePaletteItems(text, true, onHelp);
  const matched = matchItems(known, text, only);
  const asShown = (item: PaletteItem) => ({ name: item.group, items: [{ ...item, marks: [] }] });
  const groups =
    only !== null
      ? matched
      : [
          ...[byId, logsById].flatMap((item) => (item ? [asShown(item)] : [])),
          ...matched,
          ...(search ? [asShown(search)] : []),
        ];
  const items = groups.flatMap((group) => group.items);
  const activeAt = Math.max(
    0,
    items.findIndex((item) => item.id === activeId),
  );
  const active = items[activeAt];

  const run = async (item: PaletteItem | null | undefined) => {
    if (!item) return;
    setError(null);
    try {
      await item.run();
      setPaletteOpen(false);
    } catch (cause) {
      setError(cause instanceof Error ? sentence(cause.message) : String(cause));
    }
  };
  const move = (by: number) => {
    const next = (activeAt + by + items.length) % Math.max(1, items.length);
    setActiveId(items[next]?.id ?? null);
    document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => void run(active),
    Tab: () => setOnly(only === null && active ? active.group : null),
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const leavesGroup = event.key === "Backspace" && text === "" && only !== null;
    const act = leavesGroup ? () => setOnly(null) : keys[event.key];
    if (!act) return;
    event.preventDefault();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void run(search);
    else act();
  };
  return (
    <>
      <div className={styles.top}>
        <Icon name="search" />
        {only !== null && <span className="tag">{only}</span>}
        <input
          className={styles.input}
          // biome-ignore lint/a11y/noAutofocus: the dialog is this field
          autoFocus
          role="combobox"
          aria-label="Go to or search"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={active ? `${id}-${activeAt}` : undefined}
          placeholder="A page, an action, a saved view, a query, a trace id"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActiveId(null);
            setError(null);
          }}
          onKeyDown={onKey}
        />
        <button type="button" className={styles.close} onClick={() => setPaletteOpen(false)}>
          <kbd>Esc</kbd>
          <span className="visually-hidden"> Close</span>
        </button>
      </div>
      {error && (
        <p className={styles.error} role="alert">
          {error}
        </p>
      )}
      <div id={`${id}-list`} className={styles.list} role="listbox" aria-label="Results" tabIndex={-1}>
        {groups.map((group, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a group may come twice, and holds no state
          <div key={at} role="group" aria-label={group.name}>
            <div className={styles.group} aria-hidden="true">
              {group.name}
            </div>
            {group.items.map((item) => (
              <Option
                key={item.id}
                id={`${id}-${items.indexOf(item)}`}
                item={item}
                active={item === active}
                onPoint={() => setActiveId(item.id)}
                onRun={() => void run(item)}
              />
            ))}
          </div>
        ))}
      </div>
      {items.length === 0 && (
        <p className={styles.none}>Nothing is called so. Backspace takes the group away.</p>
      )}
      <div className={styles.foot}>
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> move
        </span>
        <span>
          <kbd>↵</kbd> open
        </span>
        <span>
          <kbd>Tab</kbd> {only === null ? "narrow to type" : "all types"}
        </span>
        <span className="grow" />
        <span className={styles.hint}>Paste a trace id to open it</span>
      </div>
    </>
  );
}

interface OptionProps {
  id: string;
  item: ShownItem;
  active: boolean;
  onPoint: () => void;
  onRun: () => void;
}

function Option({ id, item, active, onPoint, onRun }: OptionProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the input keeps the focus; Enter there runs the active one
    <div
      id={id}
      role="option"
      aria-selected={active}
      className={styles.option}
      onPointerMove={() => !active && onPoint()}
      onClick={onRun}
    >
      <Icon name={item.icon} />
      <span className={`${styles.label} ${item.mono ? "mono" : ""}`}>
        <Marked item={item} />
      </span>
      {item.detail && <span className={styles.detail}>{item.detail}</span>}
      {item.keys && (
        <span className={styles.keys}>
          {item.keys.map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}
        </span>
      )}
      {active && !item.keys && (
        <span aria-hidden="true">
          <kbd>↵</kbd>
        </span>
      )}
    </div>
  );
}

function Marked({ item: { label, marks } }: { item: ShownItem }) {
  return (
    <>
      {marks.map((range, index) => (
        <span key={range.start}>
          {label.slice(marks[index - 1]?.end ?? 0, range.start)}
          <mark className={styles.mark}>{label.slice(range.start, range.end)}</mark>
        </span>
      ))}
      {label.slice(marks.at(-1)?.end ?? 0)}
    </>
  );
}
