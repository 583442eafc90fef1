import { unitFamilies } from "../../lib/unitTable";

/** Grafana's ids of the units that are known here. */
export const unitIds = Object.keys(unitFamilies);
