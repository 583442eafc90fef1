import { afterEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "./http";
import {
  escapedLabel,
  fetchLabelValues,
  PromError,
  parseQuery,
  queryInstant,
  queryRange,
} from "./prometheus";

function answers(body: unknown, status = 200) {
  const fetch = vi.fn<(url: string, init: RequestInit) => Promise<Response>>(
    async () => new Response(JSON.stringify(body), { status }),
  );
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

afterEach(() => vi.unstubAllGlobals());

const range = { query: 'up{job="agent"}', startS: 0, endS: 30, stepS: 15 };

describe("a range query", () => {
  test("goes as a form, and its numbers come as numbers", async () => {
    const fetch = answers({
      status: "success",
      data: {
        resultType: "matrix",
        result: [
          {
            metric: { host_name: "db-1" },
            values: [
              [0, "1"],
              [15, "+Inf"],
              [30, "NaN"],
            ],
          },
          { metric: {}, histograms: [[0, { count: "3" }]] },
        ],
      },
      warnings: ["1 of 2 partitions answered"],
    });
    const answer = await queryRange(range);
    expect(fetch.mock.calls[0]?.[0]).toBe("/api/v1/query_range");
    expect(String(fetch.mock.calls[0]?.[1].body)).toBe(
      "query=up%7Bjob%3D%22agent%22%7D&start=0&end=30&step=15",
    );
    expect(answer).toEqual({
      series: [
        {
          labels: { host_name: "db-1" },
          times: [0, 15, 30],
          values: [1, Number.POSITIVE_INFINITY, Number.NaN],
          histograms: false,
        },
        { labels: {}, times: [], values: [], histograms: true },
      ],
      warnings: ["1 of 2 partitions answered"],
      infos: [],
    });
  });

  test("an error says what and where", async () => {
    answers(
      { status: "error", errorType: "bad_data", error: "unexpected end", position: { start: 3, end: 4 } },
      400,
    );
    const error = await queryRange(range).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(PromError);
    expect(error).toMatchObject({
      status: 400,
      code: "bad_data",
      message: "unexpected end",
      bytes: { start: 3, end: 4 },
    });
  });

  test.each([
    [{ status: "success", data: { resultType: "vector", result: [] } }, "query_range.data.resultType"],
    [{ status: "success", data: { resultType: "matrix", result: [{ metric: {} }] } }, "result[0].values"],
    [
      { status: "success", data: { resultType: "matrix", result: [{ metric: { a: 1 }, values: [] }] } },
      "metric.a",
    ],
    [
      { status: "success", data: { resultType: "matrix", result: [{ metric: {}, values: [[0, 1]] }] } },
      "values",
    ],
  ])("a wrong shape is named: %j", async (body, path) => {
    answers(body);
    const error = await queryRange(range).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect(String(error)).toContain(path);
  });
});

test.each([
  [
    { resultType: "scalar", result: [7, "2.5"] },
    { kind: "scalar", series: [{ times: [7], values: [2.5] }] },
  ],
  [
    { resultType: "string", result: [7, "hello"] },
    { kind: "string", text: "hello", series: [] },
  ],
  [
    { resultType: "vector", result: [{ metric: { a: "b" }, value: [7, "1"] }] },
    { kind: "vector", series: [{ labels: { a: "b" }, times: [7], values: [1] }] },
  ],
])("an instant answer %j", async (data, expected) => {
  answers({ status: "success", data });
  expect(await queryInstant({ query: "x", timeS: 7 })).toMatchObject(expected);
});

test("a query that cannot be read is an answer, a server that fails is an error", async () => {
  answers({ status: "error", errorType: "bad_data", error: "unclosed parenthesis" }, 400);
  expect((await parseQuery("sum("))?.message).toBe("unclosed parenthesis");
  answers({ status: "success", data: { type: "call" } });
  expect(await parseQuery("sum(up)")).toBeNull();
  answers({}, 503);
  await expect(parseQuery("up")).rejects.toThrow("status 503");
});

test.each([
  ["host_name", "host_name"],
  ["http.route", "U__http_2e_route"],
  ["a_b c", "U__a__b_20_c"],
])("the label %s travels as %s", async (name, escaped) => {
  expect(escapedLabel(name)).toBe(escaped);
  const fetch = answers({ status: "success", data: ["x"] });
  expect(await fetchLabelValues(name, { startS: 1, endS: 2, match: ["up"] })).toEqual(["x"]);
  expect(fetch.mock.calls[0]?.[0]).toBe(`/api/v1/label/${escaped}/values?match%5B%5D=up&start=1&end=2`);
});
