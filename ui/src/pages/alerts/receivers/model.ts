// The tree of routes as a list of lines, and what is wrong with who is told.
import type { Integration, Receiver, Receivers, Route } from "../../../api/receivers";
import { formatDuration } from "../../../lib/time/format";

export interface RouteLine {
  /** Stays the same while the tree does. */
  key: string;
  depth: number;
  route: Route;
  /** What it says otherwise than the route above it; of the root everything. */
  timings: string[];
}

/** Each route below its parent, in the order in which they are looked at. */
export function routeLines(root: Route): RouteLine[] {
  const lines: RouteLine[] = [];
  const add = (route: Route, parent: Route | null, depth: number, key: string) => {
    lines.push({ key, depth, route, timings: timingsOf(route, parent) });
    for (const [at, child] of route.routes.entries()) add(child, route, depth + 1, `${key}.${at}`);
  };
  add(root, null, 0, "0");
  return lines;
}

function timingsOf(route: Route, parent: Route | null): string[] {
  const differs = <K extends keyof Route>(key: K) =>
    parent === null || JSON.stringify(parent[key]) !== JSON.stringify(route[key]);
  const seconds = (value: number) => formatDuration(value * 1000);
  return [
    ...(differs("group_by") ? [groupText(route.group_by)] : []),
    ...(differs("group_wait_s") ? [waitText(route.group_wait_s)] : []),
    ...(differs("group_interval_s") ? [`changes every ${seconds(route.group_interval_s)}`] : []),
    ...(differs("repeat_interval_s") ? [`again after ${seconds(route.repeat_interval_s)}`] : []),
    ...route.mute_time_intervals.map((name) => `quiet in ${name}`),
    ...route.active_time_intervals.map((name) => `only in ${name}`),
  ];
}

function groupText(labels: string[]): string {
  if (labels.includes("...")) return "one message per alert";
  return labels.length === 0 ? "one message for all" : `one message per ${labels.join(", ")}`;
}

function waitText(seconds: number): string {
  return seconds === 0 ? "at once" : `after ${formatDuration(seconds * 1000)}`;
}

/** The lines that lead to a receiver. */
export function linesTo(lines: RouteLine[], receiver: string): RouteLine[] {
  return lines.filter(({ route }) => route.receiver === receiver);
}

/** What is sent: an integration that is only read reaches nobody. */
export function reaches({ integrations }: Receiver): boolean {
  return integrations.some(({ supported }) => supported);
}

/** Receivers that routes lead to and that tell nobody; all of them when no message is ever sent. */
export function deadEnds({ receivers }: Receivers): { names: string[]; all: boolean } {
  const routed = receivers.filter(({ routes }) => routes > 0);
  const dead = routed.filter((receiver) => !reaches(receiver));
  return { names: dead.map(({ name }) => name), all: dead.length === routed.length };
}

export function integrationKey({ kind, index }: Pick<Integration, "kind" | "index">): string {
  return `${kind} ${index}`;
}

const kindNames: Record<string, string> = {
  email: "e-mail",
  slack: "Slack",
  pagerduty: "PagerDuty",
  webhook: "webhook",
  opsgenie: "Opsgenie",
  msteams: "Microsoft Teams",
  msteamsv2: "Microsoft Teams",
  telegram: "Telegram",
  victorops: "VictorOps",
  pushover: "Pushover",
  wechat: "WeChat",
  discord: "Discord",
  webex: "Webex",
  sns: "Amazon SNS",
};

/** As people call it; what is not known as it is written. */
export function kindName(kind: string): string {
  return kindNames[kind] ?? kind;
}
