import { useEffect, useState } from "react";
import { Icon, type IconName } from "./Icon";

interface CopyButtonProps {
  /** A function when the text is costly to make or depends on the moment. */
  text: string | (() => string);
  label: string;
  icon?: IconName;
  className?: string;
}

/** Copies, and says for two seconds that it did, or that the browser refused. */
export function CopyButton({
  text,
  label,
  icon = "copy",
  className = "button button-small",
}: CopyButtonProps) {
  const [result, setResult] = useState<"copied" | "refused" | null>(null);
  useEffect(() => {
    if (result === null) return;
    const timer = setTimeout(() => setResult(null), 2000);
    return () => clearTimeout(timer);
  }, [result]);

  const copy = () => {
    const value = typeof text === "function" ? text() : text;
    copyText(value).then(
      () => setResult("copied"),
      () => setResult("refused"),
    );
  };
  const shown = result === "copied" ? "Copied" : result === "refused" ? "Select and copy by hand" : label;
  return (
    <button type="button" className={className} onClick={copy}>
      <Icon name={result === "copied" ? "check" : icon} small />
      <span aria-live="polite">{shown}</span>
    </button>
  );
}

/** navigator.clipboard exists only on https and localhost; a collector on a private address needs the old way. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy was refused");
}
