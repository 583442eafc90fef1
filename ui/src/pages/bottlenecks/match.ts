// Which open verdict is about an alert, a service, a trace. Pure.
import type { Stored, Verdict } from "../../api/bottlenecks";
import { amountText, stateOf } from "./model";

/** What a service has to do with a verdict, the nearest first. */
export type Role = "bottleneck" | "contributes" | "symptom" | "path" | "candidate";

const roles: Role[] = ["bottleneck", "contributes", "symptom", "path", "candidate"];

export interface Match {
  stored: Stored;
  role: Role;
}

export function roleOf(verdict: Verdict, service: string): Role | null {
  const { culprit, contributors, symptom, path } = verdict;
  const isIt = (one: { entity: { service: string; peer: string | null; type: string } }) =>
    one.entity.service === service || (one.entity.type === "edge" && one.entity.peer === service);
  if (culprit !== null && isIt(culprit)) return "bottleneck";
  if (contributors.some(isIt)) return culprit === null ? "candidate" : "contributes";
  if (symptom.service === service) return "symptom";
  return path.some((hop) => hop.service === service) ? "path" : null;
}

/** The nearest role wins, then the verdict that was listed first. */
export function matchService(verdicts: Stored[], service: string): Match | null {
  const found = verdicts.flatMap((stored): Match[] => {
    const role = roleOf(stored.verdict, service);
    return role === null ? [] : [{ stored, role }];
  });
  return found.sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role))[0] ?? null;
}

interface AlertLike {
  fingerprint: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** The id that the alert itself carries, whether the verdict is still open or not. */
export function verdictIdOf({ labels, annotations }: AlertLike): string | null {
  return annotations.verdict_id || labels.verdict_id || null;
}

/** By what the verdict says of its alerts, what the alert says of its verdict, or the service that both are about. */
export function matchAlert(verdicts: Stored[], alert: AlertLike, service: string | null): Stored | null {
  const id = verdictIdOf(alert);
  return (
    verdicts.find((stored) => stored.id === id) ??
    verdicts.find(({ alerts }) => alerts.includes(alert.fingerprint)) ??
    (service === null ? null : (matchService(verdicts, service)?.stored ?? null))
  );
}

/** A trace of the symptom's time that went through the symptom's service, and through the culprit where one is named. */
export function matchTrace(
  verdicts: Stored[],
  services: string[],
  startMs: number,
  endMs: number,
): Stored | null {
  const known = new Set(services);
  const fits = (stored: Stored) => {
    const { window, symptom, culprit, path } = stored.verdict;
    const fromMs = (window.onset_s - window.onset_interval_s) * 1000;
    const toMs = stateOf(stored) === "closed" ? window.hot.to_s * 1000 : Number.POSITIVE_INFINITY;
    if (endMs < fromMs || startMs > toMs || !known.has(symptom.service)) return false;
    // A database sends no spans; then its caller must be in the trace.
    const last = path.findLast((hop) => known.has(hop.service))?.service;
    return culprit === null || known.has(culprit.entity.service) || path.at(-2)?.service === last;
  };
  return verdicts.find(fits) ?? null;
}

export interface Painted {
  /** "client server" and what goes along it: "+690 ms". */
  edges: ReadonlyMap<string, string>;
  culprits: ReadonlySet<string>;
}

/** What the map paints of the open verdicts that have a culprit; of two on one call the first. */
export function paintedBy(verdicts: Stored[]): Painted {
  const edges = new Map<string, string>();
  const culprits = new Set<string>();
  for (const { verdict } of verdicts) {
    if (verdict.culprit === null) continue;
    if (verdict.culprit.entity.type !== "edge") culprits.add(verdict.culprit.entity.service);
    // A hop without spans is on no map: the call goes from the one before it to the one behind.
    const seen = verdict.path.filter(({ is_blind }) => !is_blind);
    for (const [at, hop] of seen.entries()) {
      const key = `${hop.service} ${seen[at + 1]?.service}`;
      if (at + 1 < seen.length && !edges.has(key))
        edges.set(key, `+${amountText(hop.passes_on, verdict.symptom.sli)}`);
    }
  }
  return { edges, culprits };
}
