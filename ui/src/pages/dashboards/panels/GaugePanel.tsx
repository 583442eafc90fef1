import type { Panel } from "../../../lib/dashboard/model";
import type { PanelSeries } from "../../../lib/dashboard/series";
import { limitsOf, reduceValues, shareOf, shownValue } from "../../../lib/dashboard/values";
import styles from "./Panels.module.css";

interface GaugePanelProps {
  panel: Panel;
  name: string;
  series: PanelSeries[];
}

const most = 40;
const [width, height] = [160, 92];
const [middle, bottom, radius] = [width / 2, 78, 62];

/** Each series against its scale: half a ring, or a row where the panel wants bars. */
export function GaugePanel({ panel, name, series }: GaugePanelProps) {
  const values = series.slice(0, most).map((one) => ({ one, value: reduceValues(one.values, panel.calc) }));
  const top = Math.max(0, ...values.map(({ value }) => value ?? 0));
  const rows = panel.kind === "bargauge";
  return (
    <>
      <ul className={rows ? styles.bars : styles.gauges} tabIndex={0} aria-label={`${name}, values`}>
        {values.map(({ one, value }) => {
          const shown = shownValue(value, one.style);
          const share = value === null ? 0 : shareOf(value, one.style, top);
          const limits = limitsOf(one.style).map((limit) => ({
            level: limit.level,
            share: shareOf(limit.value, one.style, top),
          }));
          const named = rows || series.length > 1;
          return (
            <li key={one.label} className={rows ? styles.bar : styles.gauge}>
              {rows && <span title={one.label}>{one.label}</span>}
              {rows ? (
                <span className={styles.track} aria-hidden="true">
                  <span
                    className={styles.fill}
                    data-level={shown.level ?? undefined}
                    style={{ width: `${share * 100}%` }}
                  />
                </span>
              ) : (
                <Ring text={shown.text} share={share} level={shown.level} limits={limits} name={one.label} />
              )}
              {rows && (
                <span className={`tabular ${styles.level}`} data-level={shown.level ?? undefined}>
                  {shown.text}
                </span>
              )}
              {!rows && named && <span className={styles.gaugeName}>{one.label}</span>}
            </li>
          );
        })}
      </ul>
      {series.length > most && (
        <p className={styles.note}>
          {most} of {series.length} series are shown.
        </p>
      )}
    </>
  );
}

interface RingProps {
  name: string;
  text: string;
  share: number;
  level: "warn" | "crit" | null;
  limits: { share: number; level: "warn" | "crit" | null }[];
}

function Ring({ name, text, share, level, limits }: RingProps) {
  return (
    <svg
      className={styles.ring}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${name}: ${text}`}
    >
      <path className={styles.ringTrack} d={arc(0, 1)} />
      {share > 0 && <path className={styles.ringFill} data-level={level ?? undefined} d={arc(0, share)} />}
      {limits
        .filter((limit) => limit.level !== null && limit.share > 0 && limit.share < 1)
        .map((limit) => {
          const [inner, outer] = [pointAt(limit.share, radius - 7), pointAt(limit.share, radius + 7)];
          return (
            <line
              key={limit.share}
              className={styles.tick}
              data-level={limit.level ?? undefined}
              x1={inner[0]}
              y1={inner[1]}
              x2={outer[0]}
              y2={outer[1]}
            />
          );
        })}
      <text
        className={styles.ringText}
        x={middle}
        y={bottom - 6}
        textAnchor="middle"
        data-level={level ?? undefined}
      >
        {text}
      </text>
    </svg>
  );
}

function pointAt(share: number, from: number): [number, number] {
  const angle = Math.PI * (1 - share);
  return [middle + from * Math.cos(angle), bottom - from * Math.sin(angle)];
}

function arc(from: number, to: number): string {
  const [[x0, y0], [x1, y1]] = [pointAt(from, radius), pointAt(to, radius)];
  return `M${x0.toFixed(2)} ${y0.toFixed(2)}A${radius} ${radius} 0 0 1 ${x1.toFixed(2)} ${y1.toFixed(2)}`;
}
