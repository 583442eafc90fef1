// From the link of a mail to the proof: the verdict, the chart of a finding, a trace that shows it with its critical path
// painted, and the raw series. NARROWS_VERDICT is that link (scripts/verdict.sh).
import { beforeAll, describe, expect, test } from "vitest";
import type { StoredWithRevisions } from "../../src/api/bottlenecks";
import { api, required } from "../environment";
import { phone } from "../pages/browser";
import { TracePage } from "../pages/TracePage";
import { VerdictPage } from "../pages/VerdictPage";
import { check, signedIn, withBrowser } from "../session";

const patience = { timeout: 20_000 };
const link = new URL(required("NARROWS_VERDICT", "a verdict's link"));
const id = link.pathname.split("/").at(-1) ?? "";

withBrowser();

let stored: StoredWithRevisions;

beforeAll(async () => {
  // As it comes: what is empty is left out.
  stored = (await api(`/bottlenecks/${encodeURIComponent(id)}`)) as StoredWithRevisions;
});

describe("a verdict", () => {
  test("the mail's link opens it: the sentence, the path, keeps that sum to the symptom", async () => {
    const { verdict } = stored;
    const { page } = await signedIn(link.href);
    const shown = new VerdictPage(page);
    await expect
      .poll(async () => (await shown.headline.innerText()).replaceAll("\u00a0", " "), patience)
      .toBe(verdict.headline.replaceAll("\u00a0", " "));
    await shown.symptom.getByRole("img").first().waitFor(patience);
    await shown.path.getByText("bottleneck", { exact: true }).waitFor();
    const kept = (await shown.funnel.getByRole("row").allInnerTexts())
      .slice(1)
      .map((row) => Number(row.trim().split(/\s+/).at(-1)?.replaceAll(",", "").replace("−", "-")));
    const sum = await shown.funnel.getByText(/^= /).innerText();
    const total = /= ([\d,.]+)/.exec(sum)?.[1] ?? "";
    const places = total.split(".")[1]?.length ?? 0;
    expect(kept.reduce((all, one) => all + one, 0).toFixed(places)).toBe(total.replaceAll(",", ""));
  });

  test("a finding's chart, its trace with the critical path painted, its raw series", async () => {
    const { verdict } = stored;
    const withQuery = verdict.evidence.findIndex(({ query }) => query && !/^(logs|traces):/.test(query));
    expect(withQuery, "no finding has a query").toBeGreaterThanOrEqual(0);
    const { page } = await signedIn(`/bottlenecks/${id}?evidence=${withQuery}`);
    const shown = new VerdictPage(page);
    await shown.drawer.getByRole("img").first().waitFor(patience);
    await shown.drawer.getByRole("link", { name: "Open in Metrics" }).click();
    await page.getByRole("heading", { level: 1, name: "Metrics" }).waitFor(patience);
    expect(shown.params().get("q")).toBe(verdict.evidence[withQuery]?.query);
    await page.getByRole("img").first().waitFor(patience);
    const withTrace = verdict.evidence.findIndex(({ exemplars }) => exemplars?.length > 0);
    expect(withTrace, "no finding has a trace that was kept").toBeGreaterThanOrEqual(0);
    await shown.open(id, `?evidence=${withTrace}`);
    const exemplar = verdict.evidence[withTrace]?.exemplars[0] ?? "";
    await shown.drawer.getByRole("link", { name: exemplar.slice(0, 16) }).click();
    const trace = new TracePage(page);
    await trace.grid.waitFor(patience);
    expect(page.url()).toContain(`/traces/${exemplar}`);
    await page.getByText(/^Critical path/).waitFor(patience);
  });

  test("what the charts of findings show is what the findings say", async () => {
    const { rev, verdict } = stored;
    const searches = /^(logs|traces):/;
    for (const [at, { query, now, text, unit }] of verdict.evidence.entries()) {
      if (!query) continue;
      const data = (await api(`/bottlenecks/${encodeURIComponent(id)}/evidence/${at}/data?rev=${rev}`)) as {
        series: { values: [number, number][] }[];
      };
      const since = data.series
        .flatMap(({ values }) => values)
        .filter(([time]) => time >= verdict.window.onset_s)
        .map(([, value]) => value);
      expect(since.length, `${text}: ${query}`).toBeGreaterThan(0);
      if (now === null || now === undefined || searches.test(query)) continue;
      const margin = 0.3 * Math.abs(now) + 0.01;
      const [least, most] = [Math.min(...since) - margin, Math.max(...since) + margin];
      expect(now >= least && now <= most, `${text}: ${now} ${unit}, charted ${least} to ${most}`).toBe(true);
    }
  });

  test("it is in the list, and one click from its service", async () => {
    const { verdict, closed_s } = stored;
    const { page } = await signedIn("/bottlenecks");
    const shown = new VerdictPage(page);
    await page.locator(`a[data-verdict="${id}"]`).waitFor(patience);
    if (closed_s !== null) return;
    await page.goto(`/services/${encodeURIComponent(verdict.symptom.service)}`);
    await page.getByRole("complementary", { name: "Bottleneck" }).getByRole("link").click(patience);
    await shown.headline.waitFor(patience);
  });

  test.for([
    ["dark", undefined],
    ["light", undefined],
    ["dark", phone],
    ["light", phone],
  ] as const)("in %s colours, on %o, nothing is cut and axe finds nothing", async ([scheme, size]) => {
    const options = size ? { scheme, size, touch: true } : { scheme };
    const { page } = await signedIn(`/bottlenecks/${id}`, options);
    const shown = new VerdictPage(page);
    await shown.headline.waitFor(patience);
    await shown.symptom.scrollIntoViewIfNeeded();
    await shown.symptom.getByRole("img").first().waitFor(patience);
    await page.mouse.move(1, 1);
    await check(page, `e2e-verdict-${scheme}${size ? "-phone" : ""}`);
  });
});
