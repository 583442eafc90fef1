// The Markdown of text panels as a tree. HTML is never made of it: tags are left out, their words stay.
export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em"; parts: Inline[] }
  | { kind: "link"; href: string; parts: Inline[] };

export type Block =
  | { kind: "heading"; level: number; parts: Inline[] }
  | { kind: "paragraph"; parts: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "list"; ordered: boolean; items: Inline[][] }
  | { kind: "rule" };

const maxDepth = 4;

export function readMarkdown(source: string): Block[] {
  const blocks: Block[] = [];
  const lines = withoutTags(source).replace(/\r\n?/g, "\n").split("\n");
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) blocks.push({ kind: "paragraph", parts: readInline(paragraph.join(" ")) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const heading = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line);
    const item = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (/^\s*```/.test(line)) {
      flush();
      const end = lines.findIndex((one, index) => index > at && /^\s*```/.test(one));
      const last = end < 0 ? lines.length : end;
      blocks.push({ kind: "code", text: lines.slice(at + 1, last).join("\n") });
      at = last;
    } else if (heading) {
      flush();
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, parts: readInline(heading[2] ?? "") });
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      flush();
      blocks.push({ kind: "rule" });
    } else if (item) {
      flush();
      const before = blocks.at(-1);
      const ordered = item[1] !== undefined;
      const parts = readInline(item[2] ?? "");
      if (before?.kind === "list" && before.ordered === ordered) before.items.push(parts);
      else blocks.push({ kind: "list", ordered, items: [parts] });
    } else if (line.trim() === "") flush();
    else paragraph.push(line.trim());
  }
  flush();
  return blocks;
}

/** Within code they are shown as they are written. */
function withoutTags(source: string): string {
  return source
    .split(/(```[\s\S]*?(?:```|$)|`[^`\n]*`)/)
    .map((part, at) =>
      at % 2 === 1
        ? part
        : part
            .replace(/<(script|style)\b[\s\S]*?(<\/\1\s*>|$)/gi, "")
            .replace(/<!--[\s\S]*?(-->|$)/g, "")
            .replace(/<(br|\/p|\/div|\/h[1-6]|\/li|\/tr)\b[^>]*>/gi, "\n\n")
            .replace(/<\/?[a-z][^>]*(>|$)/gi, "")
            .replace(/&nbsp;/g, "\u00a0")
            .replace(/&lt;/g, "<")
            .replace(/&gt;/g, ">")
            .replace(/&quot;/g, '"')
            .replace(/&amp;/g, "&"),
    )
    .join("");
}

const inline =
  /`([^`]+)`|!?\[([^\]]*)\]\(\s*<?((?:[^()\s>]|\([^()]*\))+)>?(?:\s+"[^"]*")?\s*\)|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\b_([^_]+)_\b|(https?:\/\/[^\s<>")]+)/g;

function readInline(text: string, depth = 0): Inline[] {
  const parts: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(inline)) {
    if (match.index > from) parts.push({ kind: "text", text: text.slice(from, match.index) });
    parts.push(inlineOf(match, depth));
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ kind: "text", text: text.slice(from) });
  return parts;
}

function inlineOf(match: RegExpMatchArray, depth: number): Inline {
  const [whole, code, label, target, strong, strongToo, em, emToo, bare] = match;
  const inner = (text: string): Inline[] =>
    depth < maxDepth ? readInline(text, depth + 1) : [{ kind: "text", text }];
  if (code !== undefined) return { kind: "code", text: code };
  if (target !== undefined) {
    const parts = inner(label || target);
    const href = safeLink(target);
    // A picture from elsewhere is not loaded; it is a link.
    return href === null ? { kind: "em", parts } : { kind: "link", href, parts };
  }
  if (bare !== undefined) return { kind: "link", href: bare, parts: [{ kind: "text", text: bare }] };
  const bold = strong ?? strongToo;
  if (bold !== undefined) return { kind: "strong", parts: inner(bold) };
  return { kind: "em", parts: inner(em ?? emToo ?? whole) };
}

/** To a page, never to a script. */
export function safeLink(target: string): string | null {
  return /^(https?:\/\/|\/(?!\/)|#)/i.test(target) ? target : null;
}
