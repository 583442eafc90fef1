import { type ComponentProps, type KeyboardEvent, useRef } from "react";
import styles from "./FindField.module.css";
import { Icon } from "./Icon";
import { usePreferences } from "./usePreferences";
import { useShortcuts } from "./useShortcuts";

interface FindFieldProps {
  /** Names the field: "Find a host". */
  label: string;
  placeholder: string;
  text: string;
  onText: (text: string) => void;
  /** `Enter`; by itself it gives the keys back to the page. */
  onEnter?: () => void;
  /** Does `/` lead here? False where it leads to something else. */
  slash?: boolean;
  /** As low as what stands beside it, or as wide as what it stands in. */
  size?: "usual" | "small" | "wide";
  /** What else the input says of itself. */
  input?: Pick<ComponentProps<"input">, "aria-invalid" | "aria-describedby" | "className" | "autoCapitalize">;
}

/** Finds in a list: `/` leads here, `Esc` empties it, and once more gives the keys back to the page. */
export function FindField(props: FindFieldProps) {
  const { label, placeholder, text, onText, onEnter, slash = true, size = "usual", input } = props;
  const field = useRef<HTMLInputElement>(null);
  const { shortcuts } = usePreferences();
  useShortcuts(slash ? { "/": () => field.current?.focus() } : {});
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter") {
      if (onEnter) onEnter();
      else event.currentTarget.blur();
    } else if (event.key === "Escape") {
      if (text === "") {
        event.currentTarget.blur();
        return;
      }
      // What is around it stays open until it is empty.
      event.preventDefault();
      event.stopPropagation();
      onText("");
    }
  };
  return (
    <span className={styles.box} data-size={size}>
      <Icon name="search" small />
      <input
        ref={field}
        type="search"
        autoComplete="off"
        spellCheck={false}
        {...input}
        className={`field ${styles.field} ${input?.className ?? ""}`}
        aria-label={label}
        aria-keyshortcuts={slash ? "/" : undefined}
        placeholder={placeholder}
        value={text}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {slash && shortcuts && text === "" && (
        <span className={styles.key} aria-hidden="true">
          <kbd>/</kbd>
        </span>
      )}
    </span>
  );
}
