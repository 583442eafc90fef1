// What of the chart tab is in the URL.
import { canName } from "../../../lib/query/edit";

export interface ChartView {
  /** The field whose values have a line each; null: all records in one. */
  by: string | null;
  look: "bars" | "lines";
}

export interface ChartSearch {
  by?: string;
  look?: "lines";
}

export const plainChart: ChartView = { by: "severity", look: "bars" };

export function encodeChartView({ by, look }: ChartView): ChartSearch {
  return {
    ...(by !== plainChart.by && { by: by ?? "" }),
    ...(look === "lines" && { look }),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeChartView({ by, look }: Record<string, unknown>): ChartView {
  return {
    by: by === "" ? null : typeof by === "string" && by.length <= 256 && canName(by) ? by : plainChart.by,
    look: look === "lines" ? "lines" : "bars",
  };
}
