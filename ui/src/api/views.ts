import type { Json } from "../lib/json";
import { call, change, get } from "./http";
import { array, jsonObject, number, object, string } from "./validate";

/** A view of a page under a name; the whole tenant sees it. */
export interface SavedView {
  id: string;
  name: string;
  page: string;
  /** The page's URL parameters. */
  state: { [key: string]: Json };
  created_at: string;
  updated_at: string;
  /** Counts the changes; a change names the one that it is based on. */
  revision: number;
}

const view = object<SavedView>({
  id: string,
  name: string,
  page: string,
  state: jsonObject,
  created_at: string,
  updated_at: string,
  revision: number,
});
const list = object<{ views: SavedView[] }>({ views: array(view) });

export async function fetchViews(page: string, signal: AbortSignal): Promise<SavedView[]> {
  return (await get("/views", { page }, list, signal)).views;
}

export function createView(page: string, name: string, state: SavedView["state"]): Promise<SavedView> {
  return change("POST", "/views", { name, page, state }, view);
}

/** Fails with 409 `conflict` when the view has changed since `revision`. */
export function changeView(
  id: string,
  to: Pick<SavedView, "name" | "state" | "revision">,
): Promise<SavedView> {
  return change("PUT", `/views/${encodeURIComponent(id)}`, to, view);
}

export function deleteView(id: string): Promise<void> {
  return call("DELETE", `/views/${encodeURIComponent(id)}`);
}
