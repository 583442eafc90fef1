// Roles, tokens and tenants in words, and what is wrong with what somebody fills in.
import { type ApiToken, everyTenant, type Roles, type Scope } from "../../api/access";
import type { Role } from "../../api/session";
import { formatBytes, formatCount } from "../../lib/number";
import { formatDuration } from "../../lib/time/format";

export const roleWords: Record<Role, string> = {
  viewer: "viewer: reads everything",
  editor: "editor: also views, dashboards, silences, tests",
  admin: "admin: also users, tokens, deletion",
};

export const scopeWords: Record<Scope, string> = {
  ingest: "send data",
  read: "what a viewer may",
  write: "what an editor may",
  admin: "what an admin may, and send data",
};

/** "admin everywhere", "viewer of default, editor of shop". */
export function rolesText(roles: Roles): string {
  const entries = Object.entries(roles).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return "no role";
  return entries
    .map(([tenant, role]) => (tenant === everyTenant ? `${role} everywhere` : `${role} of ${tenant}`))
    .join(", ");
}

export const minPassword = 12;
const maxPasswordBytes = 1024;
const userName = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

/** What keeps a name from being a user's; null when nothing does. */
export function nameProblem(name: string, taken: string[]): string | null {
  if (name === "") return "Name the user.";
  if (!userName.test(name))
    return "Small letters, digits and . _ - @, at most 64, a letter or a digit first.";
  return taken.includes(name) ? `There is a user ${name} already.` : null;
}

export function passwordProblem(password: string): string | null {
  if (Array.from(password).length < minPassword) return `At least ${minPassword} characters.`;
  return new TextEncoder().encode(password).length > maxPasswordBytes ? "At most 1\u00a0KiB." : null;
}

export type TokenState = "good" | "soon" | "expired";
const soonMs = 14 * 86_400_000;

/** Whether a token still opens anything, and for how long. */
export function tokenState({ expires_at }: Pick<ApiToken, "expires_at">, nowMs: number): TokenState {
  if (expires_at === null) return "good";
  const leftMs = Date.parse(expires_at) - nowMs;
  return leftMs <= 0 ? "expired" : leftMs < soonMs ? "soon" : "good";
}

export function expiryText({ expires_at }: Pick<ApiToken, "expires_at">, nowMs: number): string {
  if (expires_at === null) return "never";
  const leftMs = Date.parse(expires_at) - nowMs;
  return leftMs <= 0 ? `expired ${formatDuration(-leftMs)} ago` : `in ${formatDuration(leftMs)}`;
}

/** "15 d", "for ever". */
export function retentionText(retention: string): string {
  const [, count, unit = ""] = /^(\d+)([a-z]+)$/.exec(retention) ?? [];
  if (count === undefined) return retention;
  return Number(count) === 0 ? "for ever" : `${count}\u00a0${unit}`;
}

export function rateText(bytes: number | null, records: number | null): string {
  const parts = [
    ...(bytes === null ? [] : [`${formatBytes(bytes)}/s`]),
    ...(records === null ? [] : [`${formatCount(records)} records/s`]),
  ];
  return parts.length === 0 ? "no limit" : parts.join(", ");
}

/** How full a limit is; null without one. */
export function shareOf(used: number, limit: number | null): number | null {
  return limit === null || limit <= 0 ? null : used / limit;
}

export function shareLevel(share: number): "none" | "warn" | "crit" {
  return share >= 0.95 ? "crit" : share >= 0.8 ? "warn" : "none";
}
