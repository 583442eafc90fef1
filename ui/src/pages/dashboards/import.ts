// What is in a file before it is kept: the dashboard within its wrapping, its uid, and what is lacking.
import type { Lacking, Path } from "../../lib/dashboard/model";
import { dashboardPath, readDashboard } from "../../lib/dashboard/read";
import { checkJson, extentAt, lineOf, replacedAt } from "../../lib/dashboard/text";
import { sentence } from "../../lib/words";

export type Checked =
  | {
      ok: true;
      /** The dashboard itself, to be kept. */
      text: string;
      uid: string | null;
      title: string;
      panels: number;
      variables: number;
      lacking: Lacking[];
    }
  | { ok: false; problem: string };

export function checkImport(file: string): Checked {
  const bad = checkJson(file);
  if (bad) {
    const { line, column } = lineOf(file, bad.at);
    return { ok: false, problem: `Line ${line}, character ${column}: ${bad.message}.` };
  }
  try {
    const json: unknown = JSON.parse(file);
    const model = readDashboard(json);
    const text = prepared(file, dashboardPath(json), model.uid, model.title);
    return {
      ok: true,
      text,
      uid: isUid(model.uid) ? model.uid : null,
      title: model.title,
      panels: model.sections.reduce((sum, { panels }) => sum + panels.length, 0),
      variables: model.variables.length,
      lacking: model.lacking,
    };
  } catch (cause) {
    return { ok: false, problem: sentence(cause instanceof Error ? cause.message : String(cause)) };
  }
}

/** Without its wrapping, with a title, and with a uid that the collector takes or none. */
function prepared(file: string, path: Path, uid: string | null, title: string): string {
  const extent = extentAt(file, path);
  let text = extent ? file.slice(extent.start, extent.end) : file;
  const own = JSON.parse(text) as Record<string, unknown>;
  if (own.title !== title) text = replacedAt(text, ["title"], title);
  const wanted = isUid(uid) ? uid : null;
  if ((own.uid ?? null) !== wanted) text = replacedAt(text, ["uid"], wanted);
  return text;
}

export function withoutUid(text: string): string {
  return replacedAt(text, ["uid"], null);
}

function isUid(uid: string | null): uid is string {
  return uid !== null && /^[A-Za-z0-9_-]{1,64}$/.test(uid);
}
