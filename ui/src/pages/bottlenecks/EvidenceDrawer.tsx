import type { Evidence, StoredWithRevisions } from "../../api/bottlenecks";
import { CodeBlock } from "../../components/CodeBlock";
import { TimeSeriesChart } from "../../components/chart/TimeSeriesChart";
import { Drawer, DrawerSection, Fact, Facts } from "../../components/Drawer";
import { Icon } from "../../components/Icon";
import { TraceLink } from "../../components/TraceLink";
import { formatMoment } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { unitLabel } from "../../lib/units";
import { sentence } from "../../lib/words";
import styles from "./EvidenceDrawer.module.css";
import { EvidenceLink } from "./EvidenceLink";
import { chartOf, countedBy, familyOf, figuresOf, targetOf, unitOf } from "./evidence";
import { onsetAnnotation } from "./symptom";
import { useEvidence } from "./useVerdicts";

interface EvidenceDrawerProps {
  stored: StoredWithRevisions;
  at: number;
  evidence: Evidence;
  zone: Zone;
  onStep: (by: number) => void;
  onClose: () => void;
}

const chartPx = 200;
const exemplarLimit = 8;

/** One finding: its chart, its query, the traces that show it. */
export function EvidenceDrawer({ stored, at, evidence, zone, onStep, onClose }: EvidenceDrawerProps) {
  const { window, evidence: all } = stored.verdict;
  const { name } = familyOf(evidence);
  const figures = figuresOf(evidence, window.onset_s);
  const { query, exemplars, at_s } = evidence;
  return (
    <Drawer
      title={name}
      onClose={onClose}
      tools={
        <>
          <span className="text3 small">
            {at + 1} of {all.length}
          </span>
          <button
            type="button"
            className="button button-quiet button-icon"
            aria-label="Previous finding"
            title="Previous (k)"
            onClick={() => onStep(-1)}
          >
            <span className={styles.up}>
              <Icon name="down" small />
            </span>
          </button>
          <button
            type="button"
            className="button button-quiet button-icon"
            aria-label="Next finding"
            title="Next (j)"
            onClick={() => onStep(1)}
          >
            <Icon name="down" small />
          </button>
        </>
      }
    >
      <div className={styles.lead}>
        <p className="text1">{sentence(evidence.text)}</p>
        {figures && (
          <p className={styles.figures}>
            {figures.before !== null && <span className="text3">{figures.before} → </span>}
            <span className="text1">{figures.now}</span> {figures.unit}
          </p>
        )}
      </div>
      <Chart stored={stored} at={at} evidence={evidence} zone={zone} />
      {exemplars.length > 0 && (
        <DrawerSection title="Traces that show it">
          <ul className={styles.traces}>
            {exemplars.slice(0, exemplarLimit).map((id) => (
              <li key={id}>
                <TraceLink traceId={id} className={`link mono ${styles.trace}`}>
                  {id.slice(0, 16)}…
                </TraceLink>
              </li>
            ))}
          </ul>
        </DrawerSection>
      )}
      {query !== null && (
        <DrawerSection title="Raw data">
          <CodeBlock label="Query" code={targetOf(query).text} />
          <p className={styles.raw}>
            <EvidenceLink query={query} stored={stored} zone={zone} className="button button-small" />
          </p>
        </DrawerSection>
      )}
      <DrawerSection title="About it">
        <Facts>
          <Fact name="Finding">{evidence.type.replaceAll("_", " ")}</Fact>
          {at_s !== null && (
            <Fact name="At">
              {formatMoment(at_s * 1000, zone)} {zoneLabel(zone, at_s * 1000)}
            </Fact>
          )}
          <Fact name="Onset">
            {formatMoment(window.onset_s * 1000, zone)} {zoneLabel(zone, window.onset_s * 1000)}
          </Fact>
        </Facts>
      </DrawerSection>
    </Drawer>
  );
}

interface ChartProps {
  stored: StoredWithRevisions;
  at: number;
  evidence: Evidence;
  zone: Zone;
}

function Chart({ stored, at, evidence, zone }: ChartProps) {
  const { data, error, isPending } = useEvidence(stored.id, stored.rev, at);
  if (error)
    return (
      <p className={styles.none} role="alert">
        {sentence(error.message)}
      </p>
    );
  if (isPending) return <div className={`skeleton ${styles.skeleton}`} />;
  const counted = countedBy(evidence.query);
  const [unit, factor] = unitOf(counted ? "count" : evidence.unit);
  const { times, series } = chartOf(data ?? [], factor);
  if (times.length === 0)
    return evidence.query === null ? null : <p className={styles.none}>No value in this time.</p>;
  const highest = series
    .flatMap(({ values }) => values)
    .reduce<number>((most, one) => Math.max(most, one ?? 0), 0);
  const label = counted ?? (unitLabel(unit, highest) || evidence.unit);
  return (
    <figure className={styles.chart}>
      <figcaption className="text3 small">before and since the onset, {label}</figcaption>
      <TimeSeriesChart
        name={familyOf(evidence).name}
        series={series.map((one, index) =>
          index === 0 && series.length === 1
            ? { ...one, colour: "var(--text)", label: counted ? "in all" : one.label }
            : one,
        )}
        counts={counted !== null}
        times={times}
        unit={unit}
        zone={zone}
        height={chartPx}
        annotations={[onsetAnnotation(stored.verdict.window)]}
      />
    </figure>
  );
}
