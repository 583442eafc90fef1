import { test } from "vitest";
import { openLogs, withFixture } from "./harness";
withFixture();
const pages: Record<string, string> = {
  overview: "/",
  list: "/bottlenecks",
  index: "/bottlenecks/v_01jd7q8m2x",
  kept: "/bottlenecks/v_01jd7q8m2x?zoom=kept",
  drawer: "/bottlenecks/v_01jd7q8m2x?evidence=0",
  payments: "/bottlenecks/v_01jd7r1k9c",
  search: "/bottlenecks/v_01jd7rw4tz",
  neighbour: "/bottlenecks/v_01jd7c5a0p",
  network: "/bottlenecks/v_01jd62hh3e",
  alert: "/alerts/a1b2c3d4e5f60002",
  service: "/services/catalog",
  map: "/services/map?node=catalog",
  trace: "/traces/4bf92f3577b34da6a3ce929d0e0e4736",
};
const only = process.env.LOOK?.split(",");
const sizes = (process.env.SIZES ?? "1440x900,1280x800,390x844").split(",");
for (const size of sizes)
  for (const scheme of (process.env.SCHEMES ?? "dark,light").split(",") as ("dark" | "light")[])
    test(`${size} ${scheme}`, async () => {
      const [width = 0, height = 0] = size.split("x").map(Number);
      for (const [name, address] of Object.entries(pages)) {
        if (only && !only.includes(name)) continue;
        const logs = await openLogs({ size: { width, height }, scheme, touch: width < 640 });
        await logs.page.goto(address);
        await logs.page.waitForTimeout(900);
        const scroll = await logs.page.evaluate(
          "(() => { const m = document.querySelector('main'); return [document.documentElement.scrollWidth - innerWidth, m.scrollHeight - m.clientHeight] })()",
        );
        console.log(name, size, scheme, "overflow x, main scroll y:", JSON.stringify(scroll));
        await logs.page.screenshot({ path: `/tmp/lanes/uiv/shots/${name}-${size}-${scheme}.png` });
        if (width < 1400) {
          const h = (scroll as number[])[1] ?? 0;
          if (h > 0 && ["index", "overview", "search", "payments", "list"].includes(name)) {
            await logs.page.setViewportSize({ width, height: height + h });
            await logs.page.waitForTimeout(500);
            await logs.page.screenshot({ path: `/tmp/lanes/uiv/shots/${name}-${size}-${scheme}-full.png` });
          }
        }
      }
    }, 180_000);
