import { useState } from "react";
import type { Pattern, PatternExample, PatternParameter } from "../../../api/patterns";
import { CopyButton } from "../../../components/CopyButton";
import { Icon } from "../../../components/Icon";
import { oneLine } from "../../../lib/json";
import { formatCount, formatExact, plural } from "../../../lib/number";
import { quote } from "../../../lib/query/edit";
import { formatMoment } from "../../../lib/time/format";
import { type Zone, zoneLabel } from "../../../lib/time/zone";
import { sentence } from "../../../lib/words";
import { Record } from "../Record";
import { templateParts } from "./arrange";
import styles from "./PatternDetail.module.css";
import { Template } from "./Template";
import { useExample } from "./usePatterns";

interface PatternDetailProps {
  pattern: Pattern;
  zone: Zone;
  onFilter: (exclude: boolean) => void;
  onCondition: (condition: string, exclude: boolean) => void;
  onClose: () => void;
}

/** What stands in the placeholders of a pattern, and records that have it. */
export function PatternDetail({ pattern, zone, onFilter, onCondition, onClose }: PatternDetailProps) {
  const firstMs = Date.parse(pattern.first_seen);
  return (
    <div role="gridcell" className={styles.detail}>
      <div className={styles.head}>
        <p className={`${styles.whole} mono`}>
          <Template template={pattern.template} />
        </p>
        <p className="text3 small">
          First seen {formatMoment(firstMs, zone)}, last {formatMoment(Date.parse(pattern.last_seen), zone)}{" "}
          {zoneLabel(zone, firstMs)}
          {pattern.services.length > 0 &&
            `; ${pattern.services.map(({ value, count }) => `${value} ${formatCount(count)}`).join(", ")}`}
        </p>
        <div className={styles.actions}>
          <button type="button" className="button button-small" onClick={() => onFilter(false)}>
            <Icon name="lines" small />
            Show its records
          </button>
          <button type="button" className="button button-small" onClick={() => onFilter(true)}>
            <Icon name="minus" small />
            Exclude
          </button>
          <CopyButton text={pattern.template} label="Copy pattern" />
          <button type="button" className="button button-small button-quiet" onClick={onClose}>
            <Icon name="close" small />
            Close
          </button>
        </div>
      </div>
      {pattern.parameters.length > 0 && (
        <div className={styles.parameters}>
          {pattern.parameters.map((parameter) => (
            <Parameter key={parameter.slot} parameter={parameter} pattern={pattern} />
          ))}
        </div>
      )}
      {pattern.examples.length > 0 && (
        <section aria-label="Examples">
          <h3 className={styles.title}>Examples</h3>
          {pattern.examples.map((example) => (
            <Example key={example.id} example={example} zone={zone} onCondition={onCondition} />
          ))}
        </section>
      )}
    </div>
  );
}

function Parameter({ parameter, pattern }: { parameter: PatternParameter; pattern: Pattern }) {
  const { slot, top } = parameter;
  const written = templateParts(pattern.template).find((part) => part.slot === slot)?.text ?? "<*>";
  const name = `Placeholder ${slot + 1}`;
  return (
    <section className={styles.parameter} aria-label={name}>
      <h3 className={styles.title}>
        <span className={styles.slot}>{slot + 1}</span>
        <span className="mono">
          <Template template={written} />
        </span>
        <span className="grow" />
        <span className={styles.range}>{rangeWords(parameter)}</span>
      </h3>
      <ol>
        {top.map(({ value, count }) => (
          <li key={value} className={styles.value} data-condition={quote(value)}>
            <span className={`${styles.text} mono`} title={value}>
              {value === "" ? "(empty)" : value}
            </span>
            <span className={`${styles.times} tabular`}>{formatCount(count)}</span>
            <span className={styles.track} aria-hidden="true">
              <span style={{ width: `${Math.min(100, (count / Math.max(1, pattern.count)) * 100)}%` }} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

interface ExampleProps {
  example: PatternExample;
  zone: Zone;
  onCondition: (condition: string, exclude: boolean) => void;
}

function Example({ example, zone, onCondition }: ExampleProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className={`${styles.example} mono`}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name={open ? "down" : "right"} small />
        <span>{oneLine(example.body)}</span>
      </button>
      {open && (
        <ExampleRecord id={example.id} zone={zone} onCondition={onCondition} onClose={() => setOpen(false)} />
      )}
    </>
  );
}

interface ExampleRecordProps {
  id: string;
  zone: Zone;
  onCondition: (condition: string, exclude: boolean) => void;
  onClose: () => void;
}

function ExampleRecord({ id, zone, onCondition, onClose }: ExampleRecordProps) {
  const { data, error } = useExample(id);
  if (error) return <p className={styles.failed} role="alert">{`${sentence(error.message)}`}</p>;
  if (!data) return <p className={`${styles.waiting} skeleton`}>Reading the record</p>;
  return (
    <div role="grid" tabIndex={0} aria-label={`Example ${id}`} className={styles.record}>
      <div role="row">
        <Record record={data} zone={zone} ofPattern onFilter={onCondition} onClose={onClose} />
      </div>
    </div>
  );
}

/** "12 – 960, 203 values"; one value needs no range. */
function rangeWords({ min, max, distinct, distinct_is_capped }: PatternParameter): string {
  if (distinct === 1) return "always the same";
  const range = min === null || max === null ? "" : `${formatNumber(min)} – ${formatNumber(max)}, `;
  return `${range}${distinct_is_capped ? "over " : ""}${plural(distinct, "value")}`;
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? formatExact(value) : String(Number(value.toPrecision(6)));
}
