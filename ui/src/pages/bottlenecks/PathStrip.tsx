import { Link } from "@tanstack/react-router";
import { type CSSProperties, Fragment } from "react";
import type { Hop, Verdict } from "../../api/bottlenecks";
import { formatClock } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import { addedOf, amountText, culpritPlace, hopText } from "./model";
import styles from "./PathStrip.module.css";

interface PathStripProps {
  verdict: Verdict;
  zone: Zone;
}

/** Of a band that passes everything on. */
const fullPx = 26;
const leastPx = 2;
/** A thinner one has its words above and below it. */
const thinPx = 16;

/** From the symptom to the culprit: boxes, and between them bands as thick as what they pass on. */
export function PathStrip({ verdict, zone }: PathStripProps) {
  const { path, symptom } = verdict;
  const total = addedOf(symptom);
  const place = culpritPlace(verdict);
  if (path.length === 0) return null;
  const crowded = path.length > 5;
  return (
    <section
      className={styles.strip}
      data-crowded={crowded || undefined}
      aria-label="Path"
      tabIndex={crowded ? 0 : undefined}
    >
      <ol className={styles.path}>
        {path.map((hop, at) => {
          const isIt = place.hop === at && !place.isEdge;
          const next = path[at + 1];
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a hop is its place on the path
            <Fragment key={at}>
              <li
                className={styles.hop}
                data-culprit={isIt || undefined}
                data-blind={hop.is_blind || undefined}
              >
                <Box hop={hop} sli={symptom.sli} isCulprit={isIt} zone={zone} />
              </li>
              {next && (
                <li
                  className={styles.link}
                  data-culprit={(place.isEdge && place.hop === at) || undefined}
                  data-blind={hop.is_blind || next.is_blind || undefined}
                  data-thin={thickness(hop.passes_on, total) < thinPx || undefined}
                  style={{ "--thick": `${thickness(hop.passes_on, total)}px` } as CSSProperties}
                >
                  <span className={styles.band} aria-hidden="true" />
                  <span className={styles.passes}>
                    <span className="visually-hidden">passes on </span>+
                    {amountText(hop.passes_on, symptom.sli)}
                  </span>
                  <span className={styles.way}>
                    {place.isEdge && place.hop === at ? "bottleneck" : wayText(hop, next, verdict)}
                  </span>
                </li>
              )}
            </Fragment>
          );
        })}
      </ol>
    </section>
  );
}

function thickness(passes: number, total: number): number {
  const share = total > 0 ? Math.min(1, Math.max(0, passes / total)) : 0;
  return Math.max(leastPx, Math.round(share * fullPx));
}

/** What is lost on the way, or why nothing is known of it. */
function wayText(hop: Hop, next: Hop, { symptom: { sli } }: Verdict): string {
  if (next.is_blind) return "no spans";
  if (hop.keeps_network > 0) return `network +${amountText(hop.keeps_network, sli)}`;
  if (hop.keeps_queueing > 0) return `queueing +${amountText(hop.keeps_queueing, sli)}`;
  return "";
}

interface BoxProps {
  hop: Hop;
  sli: Verdict["symptom"]["sli"];
  isCulprit: boolean;
  zone: Zone;
}

function Box({ hop, sli, isCulprit, zone }: BoxProps) {
  const { service, operation, onset_s, is_blind } = hop;
  return (
    <>
      <span className={styles.top}>
        {is_blind ? (
          <span className={styles.name}>{service}</span>
        ) : (
          <Link to="/services/map" search={{ node: service }} className={styles.name} title={service}>
            {service}
          </Link>
        )}
        <span className={styles.since}>
          {isCulprit
            ? "bottleneck"
            : is_blind
              ? "sends no spans"
              : onset_s !== null && `from ${formatClock(onset_s * 1000, zone)}`}
        </span>
      </span>
      <code className={styles.operation} title={operation ?? undefined}>
        {operation ?? "all requests"}
      </code>
      <span className={styles.numbers}>{is_blind ? "bridged" : hopText(hop, sli)}</span>
    </>
  );
}
