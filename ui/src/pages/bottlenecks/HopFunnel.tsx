import { type ReactNode, useMemo } from "react";
import type { Verdict } from "../../api/bottlenecks";
import { formatShare } from "../../lib/number";
import { type Funnel, type FunnelRow, funnelOf, type Part, sumsOf } from "./funnel";
import styles from "./HopFunnel.module.css";
import { addedOf, amountText, entityText } from "./model";
import panel from "./Panel.module.css";
import parts from "./Parts.module.css";
import { PartSwatch, partNames } from "./parts";

interface HopFunnelProps {
  verdict: Verdict;
  /** Only what is kept is drawn, so large that slivers can be seen. */
  kept: boolean;
  onKept: (kept: boolean) => void;
}

/** Where the added time went: what each hop adds, passes on, keeps; the keeps sum to the symptom. */
export function HopFunnel({ verdict, kept, onKept }: HopFunnelProps) {
  const { symptom, culprit } = verdict;
  const funnel = useMemo(() => funnelOf(verdict), [verdict]);
  const sums = useMemo(() => sumsOf(funnel, symptom.sli), [funnel, symptom.sli]);
  const one = symptom.is_queue ? "message" : "request";
  const what = symptom.sli === "latency" ? `mean per ${one}` : "share of requests";
  const written = amountText(addedOf(symptom), symptom.sli);
  const name =
    symptom.sli === "latency"
      ? `Where the added ${written} went`
      : `Where the added ${written} failures come from`;
  return (
    <section className={`panel ${panel.panel}`} aria-label="Where it went">
      <div className={panel.head}>
        <h3>{name}</h3>
        <span className="text3 small">
          {what}, per hop, {funnel.unit}
        </span>
        <span className="grow" />
        <button
          type="button"
          className="button button-small button-quiet"
          aria-pressed={kept}
          title="Draw only what each hop keeps, so that small parts can be seen"
          onClick={() => onKept(!kept)}
        >
          Zoom to what is kept
        </button>
      </div>
      {funnel.rows.length === 0 ? (
        <p className={panel.none}>No hop got worse together with the symptom.</p>
      ) : (
        <>
          <table className={styles.table} aria-label={name}>
            <thead>
              <tr>
                <th scope="col" className={styles.who}>
                  <span className="visually-hidden">Hop</span>
                </th>
                <td />
                <th scope="col">adds</th>
                <th scope="col">passes on</th>
                <th scope="col">keeps</th>
              </tr>
            </thead>
            <tbody>
              {funnel.rows.map((row, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the path
                <tr key={at} data-culprit={row.isCulprit || undefined}>
                  <th scope="row" className={styles.who}>
                    <Who row={row} />
                  </th>
                  <td className={styles.cell}>
                    {kept ? (
                      <Kept row={row} funnel={funnel} />
                    ) : (
                      <Bar row={row} funnel={funnel} verdict={verdict} />
                    )}
                  </td>
                  <td>{row.text.adds}</td>
                  <td>{row.text.passesOn}</td>
                  <td className={styles.keeps}>{row.text.keeps}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className={styles.legend}>
            {sums.map(({ kind, text }) => (
              <span key={kind}>
                <PartSwatch kind={kind} />
                {partNames[kind]} {text}
                {kind === "culprit" && culprit && ` ${entityText(culprit.entity)}`}
              </span>
            ))}
            {!kept && (
              <span>
                <PartSwatch kind="inherited" />
                passed on
              </span>
            )}
            <span className={styles.sum}>
              = {funnel.totalText} {funnel.unit}
            </span>
          </p>
        </>
      )}
    </section>
  );
}

function Who({ row: { hop } }: { row: FunnelRow }) {
  if (hop === null) return <span className="text3">no hop keeps it</span>;
  return (
    <span className={styles.name}>
      <span className="text1" title={hop.service}>
        {hop.service}
      </span>
      <span className={styles.operation} title={hop.operation ?? undefined}>
        {hop.is_blind ? "no spans" : hop.operation}
      </span>
    </span>
  );
}

interface BarProps {
  row: FunnelRow;
  funnel: Funnel;
  verdict: Verdict;
}

/** What is passed on as a shade, what is kept at its end. */
function Bar({ row, funnel, verdict }: BarProps) {
  const largest = Math.max(funnel.total, ...funnel.rows.map(({ adds }) => adds));
  const share = (amount: number) => (largest > 0 ? Math.max(0, amount) / largest : 0);
  const passes = row.hop === null ? Math.max(0, funnel.total - row.keeps) : row.passesOn;
  const { culprit, symptom } = verdict;
  return (
    <span className={styles.bar} aria-hidden="true">
      <span
        className={parts.part}
        data-kind={row.hop === null ? undefined : "inherited"}
        data-gap={row.hop === null || undefined}
        style={{ flex: "none", width: `${share(passes) * 100}%`, minWidth: 0 }}
      />
      {row.parts.map((part) => (
        <Piece key={part.kind} part={part} width={share(part.amount)}>
          {part.kind === "culprit" && culprit && share(part.amount) > 0.35
            ? `${amountText(part.amount, symptom.sli)} self, ${formatShare(culprit.coverage)} of it`
            : null}
        </Piece>
      ))}
    </span>
  );
}

/** The rows but the largest fill the width; a larger one is cut, and says so. */
function Kept({ row, funnel }: { row: FunnelRow; funnel: Funnel }) {
  const keeps = funnel.rows.map(({ keeps: amount }) => amount).sort((a, b) => b - a);
  const largest = (keeps[1] ?? 0) > 0 ? (keeps[1] ?? 0) * 1.2 : (keeps[0] ?? 1);
  const isCut = row.keeps > largest;
  const factor = isCut ? largest / row.keeps : 1;
  return (
    <span className={styles.bar} aria-hidden="true">
      {row.parts.map((part) => (
        <Piece key={part.kind} part={part} width={(part.amount / largest) * factor}>
          {isCut && part === row.parts[0] ? `${row.text.keeps} ${funnel.unit}, cut` : null}
        </Piece>
      ))}
      {isCut && <span className={styles.cut} />}
    </span>
  );
}

function Piece({ part, width, children }: { part: Part; width: number; children: ReactNode }) {
  return (
    <span
      className={`${parts.part} ${styles.piece}`}
      data-kind={part.kind}
      style={{ width: `calc(${Math.min(1, width) * 100}% - 1px)` }}
    >
      {children}
    </span>
  );
}
