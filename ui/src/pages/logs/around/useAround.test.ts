import { expect, test } from "vitest";
import type { Context } from "../../../api/context";
import type { LogRecord } from "../../../api/logs";
import { joined } from "./useAround";

const line = (id: string) => ({ id }) as LogRecord;
const page = (before: string, id: string, after: string, more: [boolean, boolean]): Context => ({
  before: [...before].map(line),
  record: line(id),
  after: [...after].map(line),
  same: { service: id },
  more_before: more[0],
  more_after: more[1],
});

test("pages join to one run of lines, each line once", () => {
  const pages = [
    page("ab", "c", "", [false, true]),
    page("cd", "e", "fg", [true, true]),
    page("", "g", "hi", [true, true]),
  ];
  const { lines, same, moreBefore, moreAfter } = joined(pages, "e");
  expect(lines.map(({ id }) => id).join("")).toBe("abcdefghi");
  expect(same).toEqual({ service: "e" });
  expect([moreBefore, moreAfter]).toEqual([false, true]);
});
