import type { ReactNode } from "react";
import { useMemo } from "react";
import { type Block, type Inline, readMarkdown } from "../../../lib/dashboard/markdown";
import styles from "./Panels.module.css";

/** Markdown as elements of our own: nothing of it is taken for HTML. */
export function TextPanel({ name, markdown }: { name: string; markdown: string }) {
  const blocks = useMemo(() => readMarkdown(markdown), [markdown]);
  return (
    <section className={`${styles.scroll} ${styles.text}`} tabIndex={0} aria-label={`${name}, text`}>
      {blocks.map((block, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text has no other order
        <TextBlock key={at} block={block} />
      ))}
    </section>
  );
}

function TextBlock({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading":
      return <h3 data-level={block.level}>{inlines(block.parts)}</h3>;
    case "paragraph":
      return <p>{inlines(block.parts)}</p>;
    case "code":
      return <pre>{block.text}</pre>;
    case "rule":
      return <hr />;
    case "list": {
      // biome-ignore lint/suspicious/noArrayIndexKey: a text has no other order
      const items = block.items.map((parts, at) => <li key={at}>{inlines(parts)}</li>);
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
  }
}

function inlines(parts: Inline[]): ReactNode[] {
  return parts.map((part, at) => {
    const key = at;
    switch (part.kind) {
      case "text":
        return part.text;
      case "code":
        return <code key={key}>{part.text}</code>;
      case "strong":
        return <strong key={key}>{inlines(part.parts)}</strong>;
      case "em":
        return <em key={key}>{inlines(part.parts)}</em>;
      case "link":
        return (
          <a key={key} className="link" href={part.href} rel="noreferrer noopener" target="_blank">
            {inlines(part.parts)}
          </a>
        );
    }
    return null;
  });
}
