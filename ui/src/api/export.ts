import { addressOf, tenantParam } from "./http";
import type { Order } from "./logs";

export type ExportFormat = "ndjson" | "csv";

/** More than this the collector does not put into one file. */
export const exportLimit = 1_000_000;

export interface ExportRequest {
  query: string;
  start: string;
  end: string;
  order: Order;
  format: ExportFormat;
  limit: number;
  /** Further columns of a CSV. */
  fields?: string | undefined;
}

/** The address of a file with the records; the browser downloads it. */
export function exportAddress(request: ExportRequest): string {
  return addressOf("/logs/export", { ...request, ...tenantParam() });
}
