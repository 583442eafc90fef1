// OTLP severity numbers in six classes; everything that is coloured by severity goes through here.
import type { Role } from "../theme/tokens";

export type Severity = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "unset";

/** Worst first, the order of legends and tooltips. */
export const severities: Severity[] = ["fatal", "error", "warn", "info", "debug", "trace", "unset"];

export const severityRole: Record<Severity, Role> = {
  fatal: "crit-fill",
  error: "crit-mark",
  warn: "warn-mark",
  info: "log-info",
  debug: "log-debug",
  trace: "log-trace",
  unset: "ghost",
};

export function severityOf(number: number): Severity {
  if (number < 1 || number > 24) return "unset";
  return (
    (["trace", "debug", "info", "warn", "error", "fatal"] as const)[Math.floor((number - 1) / 4)] ?? "unset"
  );
}

export function isSeverity(text: string): text is Severity {
  return (severities as string[]).includes(text);
}
