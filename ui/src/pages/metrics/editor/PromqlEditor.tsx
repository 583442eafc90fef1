// CodeMirror with PromQL: a chunk of its own, loaded when the page with queries is opened.
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { useEffect, useRef } from "react";
import { promqlTokens } from "../../../components/query/promqlTokens";
import { completionClient } from "./client";
import type { EditorProps } from "./props";
import { editorTheme } from "./theme";

const highlight = HighlightStyle.define(
  promqlTokens.map(({ tag, role }) => ({ tag, color: `var(--${role})` })),
);

/** One query. Enter runs it, Shift Enter begins a line; what the server cannot read is underlined. */
export function PromqlEditor(props: EditorProps) {
  const { text, label, error } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;

  // biome-ignore lint/correctness/useExhaustiveDependencies: made once; the effects below bring what changes
  useEffect(() => {
    if (!host.current) return;
    const promql = new PromQLExtension()
      .activateLinter(false)
      .setComplete({ remote: completionClient(() => latest.current.span) });
    const run = () => {
      latest.current.onRun();
      return true;
    };
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          history(),
          promql.asExtension(),
          syntaxHighlighting(highlight),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ icons: false, maxRenderedOptions: 50 }),
          // A suggestion that is open takes Enter first.
          Prec.high(keymap.of(completionKeymap)),
          keymap.of([
            { key: "Enter", run, shift: insertNewlineAndIndent },
            { key: "Ctrl-Enter", mac: "Cmd-Enter", run },
            ...closeBracketsKeymap,
            ...defaultKeymap,
            ...historyKeymap,
            ...lintKeymap,
          ]),
          placeholder("PromQL, such as rate(system_cpu_time_seconds_total[5m])"),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            "aria-label": label,
            spellcheck: "false",
            autocapitalize: "off",
          }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
          editorTheme,
        ],
      }),
    });
    view.current = made;
    latest.current.handle.current = {
      focus: () => made.focus(),
      insert: (inserted) => {
        const { from, to } = made.state.selection.main;
        made.dispatch({
          changes: { from, to, insert: inserted },
          selection: { anchor: from + inserted.length },
        });
        made.focus();
      },
    };
    return () => {
      view.current = null;
      latest.current.handle.current = null;
      promql.destroy();
      made.destroy();
    };
  }, []);

  useEffect(() => {
    const shown = view.current;
    if (!shown || shown.state.doc.toString() === text) return;
    shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const shown = view.current;
    if (!shown) return;
    const length = shown.state.doc.length;
    const marks =
      error === null
        ? []
        : [
            {
              from: Math.min(error.from, length),
              to: Math.min(error.to, length),
              severity: "error" as const,
              message: error.message,
            },
          ];
    shown.dispatch(setDiagnostics(shown.state, marks));
  }, [error]);

  return <div ref={host} />;
}
