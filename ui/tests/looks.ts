// How a state of the page is checked: in both schemes and three sizes, axe finds nothing and nothing is cut.
import { describe, expect, test } from "vitest";
import { axeViolations, desktop, laptop, overflowPx, phone, shoot } from "../e2e/pages/browser";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs } from "./harness";

const sizes = { "1440": desktop, "1280": laptop, "390": phone };

const everyView = Object.keys(sizes).flatMap((size) => [`${size} dark`, `${size} light`]);
// Each size and each scheme once is enough to find a fault; the pictures want all six.
const views = process.env.NARROWS_SHOTS ? everyView : ["1440 dark", "1280 light", "390 dark"];

/** `states` names each state and says how to reach it. */
export function describeLooks(states: Record<string, (logs: LogsPage) => Promise<void>>): void {
  describe.each(Object.entries(states))("%s", (name, reach) => {
    test.each(views)("%s", async (view) => {
      const [size, scheme] = view.split(" ") as [keyof typeof sizes, "dark" | "light"];
      const logs = await openLogs({ size: sizes[size], scheme, touch: size === "390" });
      await reach(logs);
      await logs.page.waitForTimeout(100);
      await shoot(logs.page, `${name}-${scheme}-${size}`);
      expect(await overflowPx(logs.page)).toBe(0);
      expect(await axeViolations(logs.page)).toEqual([]);
    });
  });
}
