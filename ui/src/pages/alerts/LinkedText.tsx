import { textParts } from "./model";

/** Text of a rule's author. Web addresses in it are links; nothing else of it is anything but text. */
export function LinkedText({ text }: { text: string }) {
  return textParts(text).map((part, at) =>
    part.href === null ? (
      part.text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts never reorder
      <a key={at} href={part.href} className="link" target="_blank" rel="noreferrer noopener">
        {part.text}
      </a>
    ),
  );
}
