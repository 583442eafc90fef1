// From the link of a mail to the proof: the verdict, the chart of a finding, a trace that shows it with its critical path
// painted, and the raw series. Needs a collector with a verdict: NARROWS_VERDICT names it (its id or its link), and it
// must be there; without that the newest is taken, and without any the tests are skipped.
import { beforeAll, describe, expect, test } from "vitest";
import type { StoredWithRevisions } from "../src/api/bottlenecks";
import { api } from "./environment";
import { phone } from "./pages/browser";
import { TracePage } from "./pages/TracePage";
import { VerdictPage } from "./pages/VerdictPage";
import { check, signedIn, withBrowser } from "./session";

const patience = { timeout: 20_000 };
const named = process.env.NARROWS_VERDICT?.split("?")[0]?.split("/").at(-1);

withBrowser();

let stored: StoredWithRevisions | null = null;

beforeAll(async () => {
  const id = named ?? (await newestId());
  if (id !== null) stored = (await api(`/bottlenecks/${encodeURIComponent(id)}`)) as StoredWithRevisions;
});

async function newestId(): Promise<string | null> {
  const { verdicts } = (await api("/bottlenecks?state=all&limit=50")) as { verdicts: StoredWithRevisions[] };
  const best = verdicts.find(({ verdict }) => verdict.culprit !== null) ?? verdicts[0];
  return best?.id ?? null;
}

/** The verdict, or a test that says why there is nothing to look at. */
function given(context: { skip: (why: string) => never }): StoredWithRevisions {
  if (stored) return stored;
  // Whoever names one must have one.
  if (named !== undefined) throw new Error(`there is no verdict ${named}`);
  return context.skip("no verdict is stored here: run the shop with a fault, or set NARROWS_VERDICT");
}

describe("a verdict", () => {
  test("the mail's link opens it: the sentence, the path, keeps that sum to the symptom", async (context) => {
    const { id, verdict } = given(context);
    const { page } = await signedIn(`/bottlenecks/${id}`);
    const shown = new VerdictPage(page);
    await expect
      .poll(async () => (await shown.headline.innerText()).replaceAll("\u00a0", " "), patience)
      .toBe(verdict.headline.replaceAll("\u00a0", " "));
    await shown.symptom.getByRole("img").first().waitFor(patience);
    if (verdict.culprit === null) {
      await shown.panel("Candidates").waitFor();
      return;
    }
    await shown.path.getByText("bottleneck", { exact: true }).waitFor();
    const kept = (await shown.funnel.getByRole("row").allInnerTexts())
      .slice(1)
      .map((row) => Number(row.trim().split(/\s+/).at(-1)?.replaceAll(",", "").replace("−", "-")));
    const sum = await shown.funnel.getByText(/^= /).innerText();
    const total = /= ([\d,.]+)/.exec(sum)?.[1] ?? "";
    const places = total.split(".")[1]?.length ?? 0;
    expect(kept.reduce((all, one) => all + one, 0).toFixed(places)).toBe(total.replaceAll(",", ""));
  });

  test("a finding's chart, its trace with the critical path painted, its raw series", async (context) => {
    const { id, verdict } = given(context);
    const withQuery = verdict.evidence.findIndex(
      ({ query }) => query !== null && !/^(logs|traces):/.test(query),
    );
    expect(withQuery, "no finding has a query").toBeGreaterThanOrEqual(0);
    const { page } = await signedIn(`/bottlenecks/${id}?evidence=${withQuery}`);
    const shown = new VerdictPage(page);
    await shown.drawer.getByRole("img").first().waitFor(patience);
    await shown.drawer.getByRole("link", { name: "Open in Metrics" }).click();
    await page.getByRole("heading", { level: 1, name: "Metrics" }).waitFor(patience);
    expect(shown.params().get("q")).toBe(verdict.evidence[withQuery]?.query);
    await page.getByRole("img").first().waitFor(patience);
    const withTrace = verdict.evidence.findIndex(({ exemplars }) => exemplars.length > 0);
    if (withTrace < 0) context.skip("no finding has a trace that was kept");
    await shown.open(id, `?evidence=${withTrace}`);
    const exemplar = verdict.evidence[withTrace]?.exemplars[0] ?? "";
    await shown.drawer.getByRole("link", { name: exemplar.slice(0, 16) }).click();
    const trace = new TracePage(page);
    await trace.grid.waitFor(patience);
    expect(page.url()).toContain(`/traces/${exemplar}`);
    await page.getByText(/^Critical path/).waitFor(patience);
  });

  test("it is in the list, and one click from its service", async (context) => {
    const { id, verdict, closed_s } = given(context);
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
  ] as const)(
    "in %s colours, on %o, nothing is cut and axe finds nothing",
    async ([scheme, size], context) => {
      const { id } = given(context);
      const options = size ? { scheme, size, touch: true } : { scheme };
      const { page } = await signedIn(`/bottlenecks/${id}`, options);
      const shown = new VerdictPage(page);
      await shown.headline.waitFor(patience);
      await shown.symptom.scrollIntoViewIfNeeded();
      await shown.symptom.getByRole("img").first().waitFor(patience);
      await page.mouse.move(1, 1);
      await check(page, `e2e-verdict-${scheme}${size ? "-phone" : ""}`);
    },
  );
});
