import { expect, test } from "vitest";
import { completionAt } from "./completion";

// `^` is the caret; the answer is what is wanted, the prefix, and the stretch that is replaced.
function at(marked: string): string | null {
  const caret = marked.indexOf("^");
  const text = marked.replace("^", "");
  const found = completionAt(text, caret);
  if (!found) return null;
  const { wanted, prefix, start, end, quoted } = found;
  const what = wanted.kind === "value" ? `value of ${wanted.field}` : wanted.kind;
  return `${what} <${prefix}> [${text.slice(start, end)}]${quoted ? " quoted" : ""}`;
}

test.each([
  ["^", "condition <> []"],
  ["ser^", "condition <ser> [ser]"],
  ["a ser^vice b", "condition <ser> [service]"],
  ["timeout ^", "condition <> []"],
  ["-ser^", "condition <ser> [ser]"],
  ["(a OR ser^", "condition <ser> [ser]"],
  ["service:^", "value of service <> []"],
  ["service:che^", "value of service <che> [che]"],
  ["severity>=er^", "value of severity <er> [er]"],
  ["severity >= er^", "value of severity <er> [er]"],
  ['service:"my s^', 'value of service <my s> ["my s] quoted'],
  ["service:(a OR b^", "value of service <b> [b]"],
  ["service:in(a, b^", "value of service <b> [b]"],
  ["exists(htt^", "field <htt> [htt]"],
  ["_exists_:htt^", "field <htt> [htt]"],
  ['"odd name":x^', "value of odd name <x> [x]"],
  ['"some tex^', null],
  ['"some text"^', null],
  ["'Exact^", null],
  ['body=~"a^', null],
  ["code:[5^", null],
  ["a | ^", "stage <> []"],
  ["a | sta^", "stage <sta> [sta]"],
  ["a | stats ^", "measure <> []"],
  ["a | stats p9^", "measure <p9> [p9]"],
  ["a | stats avg(dur^", "field <dur> [dur]"],
  ["a | stats count() ^", "after-measure <> []"],
  ["a | stats count(), m^", "measure <m> [m]"],
  ["a | stats count() as n^", null],
  ["a | stats count() by ser^", "grouping <ser> [ser]"],
  ["a | stats count() by (service, b^", "grouping <b> [b]"],
  ["a | top 10 ser^", "field <ser> [ser]"],
  ["a | fields service, ho^", "field <ho> [ho]"],
  ["a | sort ^", "after-sort <> []"],
  ["a | sort by took d^", "order <d> [d]"],
  ["a | sort by took desc, h^", "field <h> [h]"],
  ["a | limit 1^", null],
  ['"a | b" ser^', "condition <ser> [ser]"],
])("%s", (marked, expected) => {
  expect(at(marked)).toBe(expected);
});
