// Who is told: receivers with their integrations, the routes that lead there, and whether the last messages arrived.
import { change, get } from "./http";
import { type Problem, problem } from "./rules";
import { array, boolean, type Check, nullable, number, object, string } from "./validate";

export interface Delivery {
  at: string;
  took_ms: number;
  error: string | null;
}

export interface Integration {
  kind: string;
  /** Among those of its kind in the receiver. */
  index: number;
  /** Where it goes, without secrets. */
  target: string;
  send_resolved: boolean;
  /** It is read and checked, but nothing is sent. */
  supported: boolean;
  last: Delivery | null;
  sent: number;
  failed: number;
}

export interface Receiver {
  name: string;
  /** How many routes lead here. */
  routes: number;
  integrations: Integration[];
}

/** A node of the tree of routes, with what it inherits. */
export interface Route {
  receiver: string;
  /** As they are written; none: every alert. */
  matchers: string[];
  /** `...`: by all labels. */
  group_by: string[];
  group_wait_s: number;
  group_interval_s: number;
  repeat_interval_s: number;
  /** Siblings after this one are looked at, too. */
  continue: boolean;
  mute_time_intervals: string[];
  active_time_intervals: string[];
  routes: Route[];
}

export interface Receivers {
  receivers: Receiver[];
  /** The root; null where the collector does not tell it. */
  route: Route | null;
  /** A path, or `shipped`: the one that came with Narrows. */
  source: string;
  problems: Problem[];
  /** What is right, but has no effect. */
  notes: Problem[];
}

export interface TestResult {
  kind: string;
  index: number;
  ok: boolean;
  error: string | null;
  took_ms: number;
}

const texts: Check<string[]> = (value, path) => nullable(array(string))(value, path) ?? [];
const count: Check<number> = (value, path) => nullable(number)(value, path) ?? 0;

const integration = object<Integration>({
  kind: string,
  index: number,
  target: (value, path) => nullable(string)(value, path) ?? "",
  send_resolved: boolean,
  supported: (value, path) => nullable(boolean)(value, path) ?? true,
  last: nullable(object<Delivery>({ at: string, took_ms: count, error: nullable(string) })),
  sent: count,
  failed: count,
});

const route: Check<Route> = (value, path) =>
  object<Route>({
    receiver: string,
    matchers: texts,
    group_by: texts,
    group_wait_s: number,
    group_interval_s: number,
    repeat_interval_s: number,
    continue: (flag, at) => nullable(boolean)(flag, at) ?? false,
    mute_time_intervals: texts,
    active_time_intervals: texts,
    routes: (list, at) => nullable(array(route))(list, at) ?? [],
  })(value, path);

const receivers = object<Receivers>({
  receivers: array(object<Receiver>({ name: string, routes: count, integrations: array(integration) })),
  route: nullable(route),
  source: string,
  problems: array(problem),
  notes: (value, path) => nullable(array(problem))(value, path) ?? [],
});

export function fetchReceivers(signal: AbortSignal): Promise<Receivers> {
  return get("/receivers", {}, receivers, signal);
}

const results = object<{ results: TestResult[] }>({
  results: array(
    object<TestResult>({ kind: string, index: number, ok: boolean, error: nullable(string), took_ms: count }),
  ),
});

/** Sends one message to each integration, and tells how that went. */
export async function testReceiver(name: string): Promise<TestResult[]> {
  return (await change("POST", `/receivers/${encodeURIComponent(name)}/test`, {}, results)).results;
}
