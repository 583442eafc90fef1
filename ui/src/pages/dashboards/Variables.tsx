import { Popover } from "@mantine/core";
import { type KeyboardEvent, useId, useState } from "react";
import { FindField } from "../../components/FindField";
import { Icon } from "../../components/Icon";
import { allValue } from "../../lib/dashboard/model";
import type { Resolved } from "../../lib/dashboard/resolve";
import { sentence } from "../../lib/words";
import styles from "./Variables.module.css";

interface VariablesProps {
  variables: Resolved[];
  onChoose: (name: string, values: string[]) => void;
}

const listed = 200;

/** The dashboard's variables; what each of them may be is asked for. */
export function Variables({ variables, onChoose }: VariablesProps) {
  const shown = variables.filter(
    ({ variable: { shown: how, kind } }) =>
      how !== "none" && kind !== "constant" && kind !== "datasource" && kind !== "other",
  );
  return shown.map((one) => {
    const { name, kind, multi } = one.variable;
    const choose = (values: string[]) => onChoose(name, values);
    if (kind === "textbox") return <TextVariable key={name} resolved={one} onChoose={choose} />;
    return multi ? (
      <ManyVariable key={name} resolved={one} onChoose={choose} />
    ) : (
      <OneVariable key={name} resolved={one} onChoose={choose} />
    );
  });
}

interface VariableProps {
  resolved: Resolved;
  onChoose: (values: string[]) => void;
}

function OneVariable({ resolved: { variable, choices, chosen, error }, onChoose }: VariableProps) {
  const known = chosen.every((value) => value === allValue || choices.some((one) => one.value === value));
  return (
    <label className={styles.variable}>
      <span data-quiet={variable.shown === "value"}>{variable.label}</span>
      <select value={chosen[0] ?? ""} onChange={(event) => onChoose([event.target.value])}>
        {variable.includeAll && <option value={allValue}>All</option>}
        {!known && <option value={chosen[0]}>{chosen[0]}</option>}
        {choices.map(({ text, value }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
        {choices.length === 0 && chosen.length === 0 && <option value="">nothing to choose</option>}
      </select>
      {error !== null && <Failed error={error} />}
    </label>
  );
}

function TextVariable({ resolved: { variable, chosen }, onChoose }: VariableProps) {
  const before = chosen[0] ?? "";
  const [text, setText] = useState(before);
  const done = () => {
    if (text !== before) onChoose([text]);
  };
  return (
    <label className={styles.variable}>
      <span>{variable.label}</span>
      <input
        value={text}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onBlur={done}
        onKeyDown={(event: KeyboardEvent) => event.key === "Enter" && done()}
      />
    </label>
  );
}

function ManyVariable({ resolved, onChoose }: VariableProps) {
  const { variable, choices, chosen, error } = resolved;
  const [open, setOpen] = useState(false);
  const [find, setFind] = useState("");
  const id = useId();
  const all = chosen.length === 1 && chosen[0] === allValue;
  const found = choices.filter(({ text }) => text.toLowerCase().includes(find.toLowerCase()));
  const toggle = (value: string) => {
    const rest = all ? [] : chosen.filter((one) => one !== value);
    const next = !all && chosen.includes(value) ? rest : [...rest, value];
    if (next.length > 0) onChoose(next);
    else if (variable.includeAll) onChoose([allValue]);
  };
  const said = all
    ? `All (${choices.length})`
    : chosen.length === 0
      ? "nothing to choose"
      : chosen.length > 2
        ? `${chosen.length} of ${choices.length}`
        : chosen.map((value) => choices.find((one) => one.value === value)?.text ?? value).join(", ");
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start">
      <Popover.Target>
        <button type="button" className={styles.variable} onClick={() => setOpen(!open)}>
          <span>{variable.label}</span>
          <span className={styles.chosen}>
            {said}
            <Icon name="down" small />
          </span>
          {error !== null && <Failed error={error} />}
        </button>
      </Popover.Target>
      <Popover.Dropdown p={8} aria-label={variable.label}>
        <div className={styles.many}>
          <FindField
            label={`Find in ${variable.label}`}
            placeholder="Find"
            size="wide"
            slash={false}
            text={find}
            onText={setFind}
          />
          <ul>
            {variable.includeAll && (
              <li>
                <label>
                  <input type="checkbox" checked={all} onChange={() => onChoose([allValue])} />
                  All
                </label>
              </li>
            )}
            {found.slice(0, listed).map(({ text, value }, at) => (
              <li key={value}>
                <label htmlFor={`${id}${at}`}>
                  <input
                    id={`${id}${at}`}
                    type="checkbox"
                    checked={!all && chosen.includes(value)}
                    onChange={() => toggle(value)}
                  />
                  {text}
                </label>
              </li>
            ))}
          </ul>
          {found.length > listed && (
            <p className="text3 small">
              {listed} of {found.length} are listed; write to find others.
            </p>
          )}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

function Failed({ error }: { error: string }) {
  return (
    <span className={styles.failed} role="alert" title={sentence(error)}>
      <Icon name="warning" small />
      <span className="visually-hidden">{sentence(error)}</span>
    </span>
  );
}
