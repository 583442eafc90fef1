import { useSyncExternalStore } from "react";
import { type Preferences, readPreferences, subscribePreferences } from "../lib/preferences";

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribePreferences, readPreferences);
}
