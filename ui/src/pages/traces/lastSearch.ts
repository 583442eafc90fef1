// Where the way back from a trace leads: to the search that it was found by, as long as the page is open.
import type { TracesSearch } from "./url";

let last: TracesSearch = {};

export function rememberSearch(search: TracesSearch): void {
  last = search;
}

export function lastSearch(): TracesSearch {
  return last;
}
