import { EditorView } from "@codemirror/view";

/** The look of the page's other fields, from its roles. */
export const editorTheme = EditorView.theme({
  "&": { color: "var(--text)", fontSize: "12px", background: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "20px" },
  ".cm-content": {
    padding: "5px 0",
    caretColor: "var(--text)",
    fontFeatureSettings: '"calt" 0, "zero" 1',
  },
  ".cm-line": { padding: "0 10px" },
  ".cm-placeholder": { color: "var(--text-3)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground, .cm-content ::selection": {
    background: "color-mix(in srgb, var(--accent) 30%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket, .cm-matchingBracket": {
    background: "var(--hover)",
    outline: "1px solid var(--line-control)",
  },
  ".cm-tooltip": {
    zIndex: "20",
    border: "0",
    borderRadius: "6px",
    background: "var(--raised)",
    boxShadow: "var(--overlay)",
    color: "var(--text-2)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { maxHeight: "280px", fontFamily: "var(--font-mono)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 10px", lineHeight: "20px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--hover)", color: "var(--text)" },
  ".cm-completionMatchedText": { color: "var(--accent)", textDecoration: "none" },
  ".cm-completionDetail": { color: "var(--text-3)", fontStyle: "normal" },
  ".cm-completionInfo": {
    maxWidth: "320px",
    padding: "8px 10px",
    font: "400 12px / 16px var(--font-sans)",
    whiteSpace: "normal",
  },
  ".cm-tooltip-lint": { font: "400 12px / 16px var(--font-sans)" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--crit-mark)", padding: "6px 10px" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--crit-mark)",
    textDecorationSkipInk: "none",
    textUnderlineOffset: "4px",
  },
});
