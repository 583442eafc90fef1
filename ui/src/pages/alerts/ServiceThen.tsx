import { useMemo } from "react";
import { isNothing } from "../../api/services";
import { usePhone } from "../../components/usePhone";
import { RedCharts } from "../services/RedCharts";
import { useService } from "../services/useServices";
import type { AlertChartProps } from "./AlertChart";
import styles from "./AlertPage.module.css";
import { bandsOf } from "./history";
import { severityLevel } from "./model";

interface ServiceThenProps extends AlertChartProps {
  service: string;
}

/** How the service of the alert did at the time: a rule's query alone does not always show it. */
export function ServiceThen({ service, alert, span, nowMs, zone, generation, ...zoom }: ServiceThenProps) {
  const phone = usePhone();
  const { data } = useService(service, span, generation);
  // Their words stand on the chart above; on these they would hide the lines.
  const bands = useMemo(
    () => bandsOf(alert.history, severityLevel(alert), nowMs).map((band) => ({ ...band, important: false })),
    [alert, nowMs],
  );
  if (!data || isNothing(data)) return null;
  return (
    <section className={phone ? `panel ${styles.then}` : undefined} aria-label={`${service} at the time`}>
      <RedCharts
        answer={data}
        span={span}
        zone={zone}
        exemplars={[]}
        annotations={bands}
        small={phone}
        {...zoom}
      />
    </section>
  );
}
