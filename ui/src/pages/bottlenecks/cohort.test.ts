import { describe, expect, test } from "vitest";
import { verdict } from "../../api/bottlenecks";
import { cohortQuery, rowKey } from "./cohort";
import { verdictOf } from "./sample";

const row = (service: string, attribute: string, value: string) => ({
  service,
  attribute,
  value,
  slow: 1,
  normal: 0,
  effect: 1,
  q: 0.001,
});

describe("what slow requests share", () => {
  test("rows are told apart by their service, and ask for its spans alone", () => {
    const [a, b] = [row("catalog", "service.version", "1.4.2"), row("cart", "service.version", "1.4.2")];
    expect(rowKey(a)).not.toBe(rowKey(b));
    expect(cohortQuery(a)).toBe('traces:service:catalog service.version:"1.4.2"');
    expect(cohortQuery(row("", "user.tier", "gold"))).toBe("traces:user.tier:gold");
    expect(cohortQuery(row("cart", "cart.items", "≥ 8"))).toBeNull();
  });

  test("the service is read where it is told", () => {
    const { service, ...untold } = row("cart", "user.tier", "gold");
    const read = verdict({ ...verdictOf(), cohort: [{ service, ...untold }, untold] }, "verdict");
    expect(read.cohort.map((one) => one.service)).toEqual(["cart", ""]);
  });
});
