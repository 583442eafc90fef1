// A small verdict for tests: 100 ms, of which the database keeps 80.
import type { Culprit, Hop, Stored, Verdict } from "../../api/bottlenecks";

export const onsetS = 1_764_065_000;

export function hopOf(service: string, adds: number, passesOn: number, more: Partial<Hop> = {}): Hop {
  const keeps = adds - passesOn;
  return {
    service,
    operation: null,
    onset_s: onsetS,
    baseline: 10,
    now: 10 + adds,
    calls: 1,
    adds,
    passes_on: passesOn,
    keeps,
    keeps_self: keeps,
    keeps_queueing: 0,
    keeps_network: 0,
    is_blind: false,
    ...more,
  };
}

export function culpritOf(service: string, more: Partial<Culprit["entity"]> = {}): Culprit {
  return {
    entity: {
      type: "service",
      service,
      operation: null,
      peer: null,
      statement: null,
      instance: null,
      host: null,
      process: null,
      ...more,
    },
    kind: "slow_statement",
    subkind: null,
    resource: "statement",
    coverage: 0.8,
    contribution: 80,
    margin: 0.9,
  };
}

export function verdictOf(more: Partial<Verdict> = {}): Verdict {
  return {
    state: "open",
    headline: "db SELECT 1 adds 80 of 100 ms to GET /",
    summary: "",
    symptom: {
      service: "edge",
      operation: "GET /",
      sli: "latency",
      baseline: 20,
      now: 120,
      baseline_p95_ms: null,
      now_p95_ms: null,
      requests: 1000,
      is_queue: false,
    },
    window: {
      onset_s: onsetS,
      onset_interval_s: 10,
      detected_s: onsetS + 40,
      baseline: { from_s: onsetS - 7200, to_s: onsetS - 60 },
      hot: { from_s: onsetS, to_s: onsetS + 600 },
    },
    culprit: culpritOf("db", { statement: "SELECT 1" }),
    confidence: { level: "high", precision: 0.96, cases: 142 },
    path: [hopOf("edge", 100, 95), hopOf("shop", 95, 80), hopOf("db", 80, 0)],
    unexplained: 0,
    evidence: [],
    contributors: [],
    ruled_out: [],
    cohort: [],
    fix: null,
    impact: { operations: [], requests_affected: 0, share: 0 },
    headroom: null,
    data_quality: {
      trace_coverage: 1,
      traces: 0,
      blind_hops: 0,
      clock_skew_ms: 0,
      baseline_steps: 0,
      missing: [],
    },
    next_steps: [],
    method: "m",
    ...more,
  };
}

export function storedOf(verdict: Verdict, more: Partial<Stored> = {}): Stored {
  return {
    id: "v_1",
    rev: 1,
    opened_s: onsetS + 40,
    updated_s: onsetS + 40,
    closed_s: null,
    verdict,
    feedback: null,
    alerts: [],
    merged_into: null,
    ...more,
  };
}
