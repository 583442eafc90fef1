// Whose data every request asks for. null: the tenant that the session itself is of.
let tenant: string | null = null;
const listeners = new Set<() => void>();

export function requestTenant(): string | null {
  return tenant;
}

export function setRequestTenant(name: string | null): void {
  tenant = name;
}

/** For what keeps answers beside the query cache: it is called when they must be forgotten. */
export function onForget(listener: () => void): void {
  listeners.add(listener);
}

export function forgetKept(): void {
  for (const listener of listeners) listener();
}
