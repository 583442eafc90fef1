// Public dashboards, which live outside of the repository in the directory that CONFORMANCE_DATA names. Without it the
// test says so and passes, unless NARROWS_CONFORMANCE=required.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { fieldsOf, listOf, textOf } from "./json";
import { dashboardPath, readDashboard } from "./read";

const root = new URL("../../../..", import.meta.url).pathname;
const data = join(
  resolve(root, process.env.CONFORMANCE_DATA ?? "../shared/testdata"),
  "07-grafana-dashboards",
);
/** Lists about the dashboards, not dashboards. */
const about = ["frequency_table.json", "promql_exprs.json"];

function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesIn(path);
    return name.endsWith(".json") && !about.includes(name) ? [path] : [];
  });
}

type Fields = Record<string, unknown>;

/** Every panel of a file that is not a row, however deep. */
function panelsOf(dashboard: Fields): Fields[] {
  const inside = (list: unknown): Fields[] =>
    listOf(list)
      .map(fieldsOf)
      .flatMap((one) => (one.type === "row" ? inside(one.panels) : [one]));
  const rows = listOf(dashboard.rows).map(fieldsOf);
  return [...inside(dashboard.panels), ...rows.flatMap((row) => inside(row.panels))];
}

/** What is missing from the model; an empty list is a pass. */
function judge(file: string): string[] {
  const json: unknown = JSON.parse(readFileSync(file, "utf8"));
  const model = readDashboard(json);
  const source = fieldsOf(dashboardPath(json).reduce<unknown>((at, name) => fieldsOf(at)[name], json));
  const problems: string[] = [];
  const lacking = new Set(model.lacking.map(({ panel, what }) => `${panel}: ${what}`));
  const wanted = panelsOf(source);
  const panels = model.sections.flatMap((section) => section.panels);
  if (panels.length !== wanted.length) problems.push(`${panels.length} panels of ${wanted.length}`);
  const at = (path: (string | number)[]) =>
    path.reduce<unknown>(
      (value, step) => (value as Record<string | number, unknown> | undefined)?.[step],
      source,
    );
  for (const panel of panels) {
    const original = fieldsOf(at(panel.path));
    const name = panel.title || `panel ${panel.id ?? panel.path.join(".")}`;
    if (textOf(original.title) !== panel.title) problems.push(`${name} is not at its path`);
    const targets = listOf(original.targets).map(fieldsOf);
    if (targets.length !== panel.targets.length) problems.push(`${name}: queries are missing`);
    if (panel.kind === "other") {
      const named = [...lacking].some((what) => what.startsWith(`${name}: a panel`));
      if (!named) problems.push(`${name} is neither drawn nor named`);
      continue;
    }
    for (const [index, target] of panel.targets.entries()) {
      const expr = textOf(targets[index]?.expr);
      const named = [...lacking].some((what) => what.startsWith(`${name}: query ${target.refId}`));
      if (target.expr !== expr && !named)
        problems.push(`${name}: query ${target.refId} is changed and not named`);
    }
  }
  const variables = listOf(fieldsOf(source.templating).list).map(fieldsOf);
  for (const [index, variable] of variables.entries()) {
    const read = model.variables[index];
    if (!read || read.name !== variable.name) problems.push(`variable ${variable.name} is missing`);
    else if (read.kind === "other" && ![...lacking].some((what) => what.includes(`variable ${read.name}`)))
      problems.push(`variable ${read.name} is neither read nor named`);
  }
  return problems;
}

test("conformance: grafana-dashboards", () => {
  if (!existsSync(data)) {
    expect(process.env.NARROWS_CONFORMANCE, `no dashboards in ${data}`).not.toBe("required");
    console.warn(
      "\n!!! DASHBOARDS CONFORMANCE NOT RUN: CONFORMANCE_DATA names no folder with 07-grafana-dashboards !!!\n",
    );
    return;
  }
  const files = filesIn(data);
  const failures = files.flatMap((file) => {
    try {
      return judge(file).map((problem) => `${file.slice(data.length + 1)}: ${problem}`);
    } catch (cause) {
      return [`${file.slice(data.length + 1)}: ${cause}`];
    }
  });
  const failed = new Set(failures.map((failure) => failure.split(": ")[0]));
  console.info(`grafana-dashboards ${files.length - failed.size}/${files.length}`);
  expect(files.length).toBeGreaterThanOrEqual(157);
  expect(failures).toEqual([]);
});
