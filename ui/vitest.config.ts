import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// unit: pure functions. browser: the built app in Chromium against the fixture server.
// e2e: the built app as a real collector serves it (NARROWS_URL, NARROWS_PASSWORD).
// oncall: the link of a mail, opened on a phone (NARROWS_ALERT as well; scripts/on-call.sh).
// verdict: from a verdict's link to its proof (NARROWS_VERDICT as well; scripts/verdict.sh).
// A poll waits for the page to get there; how quick it must be is asserted where that is the point (a line within 5 s).
const browserOptions = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 10_000 } },
  fileParallelism: false,
  maxWorkers: 1,
};

/** By name, whatever took how long before: e2e/arrival.test.ts wants a collector without records. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => a.moduleId.localeCompare(b.moduleId));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts"] } },
      { test: { name: "browser", include: ["tests/**/*.test.ts"], ...browserOptions } },
      { test: { name: "e2e", include: ["e2e/*.test.ts"], ...browserOptions } },
      { test: { name: "verdict", include: ["e2e/verdict/*.test.ts"], ...browserOptions } },
      { test: { name: "oncall", include: ["e2e/oncall/*.test.ts"], ...browserOptions } },
    ],
  },
});
