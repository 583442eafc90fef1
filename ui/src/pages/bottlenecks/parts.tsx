// The small parts of a verdict that lists, the page and other pages share.
import type { Confidence, Culprit, Verdict } from "../../api/bottlenecks";
import { formatShare } from "../../lib/number";
import { type PartKind, segmentsOf } from "./funnel";
import { addedOf, amountText, barsOf, entityText, headlineParts, levelNames, precisionText } from "./model";
import styles from "./Parts.module.css";

/** Three bars and a word; what the word is worth is its title. */
export function ConfidenceBars({ confidence, short }: { confidence: Confidence | null; short?: boolean }) {
  const full = barsOf(confidence);
  const word = confidence === null ? "No verdict" : levelNames[confidence.level];
  return (
    <span className={styles.confidence} title={confidence ? precisionText(confidence) : undefined}>
      <span className={styles.bars} aria-hidden="true">
        {[1, 2, 3].map((bar) => (
          <span key={bar} data-full={bar <= full} />
        ))}
      </span>
      {short ? word.toLowerCase() : word}
    </span>
  );
}

/** The sentence, with what is narrow in violet. */
export function Headline({ text, culprit }: { text: string; culprit: Culprit | null }) {
  return headlineParts(text, culprit).map((part) =>
    part.isCulprit ? (
      <code key={part.text} className={styles.culprit}>
        {part.text}
      </code>
    ) : (
      part.text
    ),
  );
}

export const partNames: Record<PartKind, string> = {
  culprit: "self",
  self: "other self",
  queueing: "queueing",
  network: "network",
  unexplained: "unexplained",
};

/** How much of the symptom is explained, and by what. */
export function ExplainedBar({ verdict }: { verdict: Verdict }) {
  const { symptom, culprit, contributors } = verdict;
  const segments = segmentsOf(verdict);
  const largest = culprit ?? contributors[0] ?? null;
  const [text, share] =
    largest === null
      ? [`${amountText(addedOf(symptom), symptom.sli)} more`, 0]
      : [
          `${amountText(largest.contribution, symptom.sli)} ${culprit ? entityText(largest.entity) : "largest share"}`,
          largest.coverage,
        ];
  return (
    <span className={styles.explained}>
      <span className={styles.explainedText}>
        <span className="text1">{text}</span>
        <span className="text3">{formatShare(share)} explained</span>
      </span>
      <span className={styles.bar} aria-hidden="true">
        {segments.map((segment, at) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: a segment is its place
            key={at}
            className={styles.part}
            data-kind={segment.kind}
            style={{ flexGrow: segment.share }}
          />
        ))}
      </span>
    </span>
  );
}

/** The pattern of a kind of time, for legends. */
export function PartSwatch({ kind }: { kind: PartKind | "inherited" }) {
  return <span className={`${styles.part} ${styles.swatch}`} data-kind={kind} />;
}
