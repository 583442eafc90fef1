// What the page knows of the editor before its chunk is there.
import type { RefObject } from "react";
import type { Span } from "../../../lib/time/range";

export interface EditorHandle {
  focus: () => void;
  /** In place of the selection. */
  insert: (text: string) => void;
}

export interface EditorProps {
  text: string;
  label: string;
  /** Names and values are suggested from what was stored then. */
  span: Span;
  error: { from: number; to: number; message: string } | null;
  handle: RefObject<EditorHandle | null>;
  onChange: (text: string) => void;
  onRun: () => void;
}
