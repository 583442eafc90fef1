import type { StoredWithRevisions } from "../../api/bottlenecks";
import { Spark } from "../../components/chart/Spark";
import { Icon } from "../../components/Icon";
import { TraceLink } from "../../components/TraceLink";
import { formatCount, plural } from "../../lib/number";
import { formatClock } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import { sentence } from "../../lib/words";
import styles from "./EvidenceCards.module.css";
import { EvidenceLink } from "./EvidenceLink";
import { type Card, cardsOf, chartOf, familyOf, figuresOf, onsetShare, targetOf } from "./evidence";
import { useEvidence } from "./useVerdicts";

interface EvidenceCardsProps {
  stored: StoredWithRevisions;
  zone: Zone;
  opened: number | null;
  onOpen: (at: number | null) => void;
}

const cardLimit = 6;

/** The strongest finding of each family; what was not seen is said in the places that are left. */
export function EvidenceCards({ stored, zone, opened, onOpen }: EvidenceCardsProps) {
  const { evidence, data_quality } = stored.verdict;
  const cards = cardsOf(evidence, cardLimit);
  const absent = data_quality.missing.slice(0, cardLimit - cards.length);
  const hidden = evidence.length - cards.length;
  if (cards.length + absent.length === 0) return null;
  return (
    <section className={styles.cards} aria-label="Evidence">
      {cards.map((card) => (
        <EvidenceCard
          key={card.at}
          card={card}
          stored={stored}
          zone={zone}
          isOpen={opened === card.at}
          onOpen={() => onOpen(opened === card.at ? null : card.at)}
        />
      ))}
      {absent.map((what) => (
        <div key={what} className={`${styles.card} ${styles.absent}`}>
          <h3 className={styles.family}>
            <Icon name="minus" small />
            Not seen
          </h3>
          <p className={styles.text}>{sentence(what)}</p>
        </div>
      ))}
      {hidden > 0 && (
        <p className="visually-hidden">
          {plural(hidden, "more finding")} in the drawer: j and k go through all{" "}
          {formatCount(evidence.length)}
        </p>
      )}
    </section>
  );
}

interface EvidenceCardProps {
  card: Card;
  stored: StoredWithRevisions;
  zone: Zone;
  isOpen: boolean;
  onOpen: () => void;
}

function EvidenceCard({ card, stored, zone, isOpen, onOpen }: EvidenceCardProps) {
  const { at, evidence, more } = card;
  const { window, symptom } = stored.verdict;
  const { name, icon } = familyOf(evidence);
  const figures = figuresOf(evidence, window.onset_s);
  // The numbers are on the card; a search finds more than one trace.
  const isSearch = evidence.query !== null && targetOf(evidence.query).page !== "metrics";
  const exemplar = isSearch ? undefined : evidence.exemplars[0];
  return (
    <article className={`panel ${styles.card}`} data-open={isOpen || undefined} data-family={evidence.family}>
      <h3 className={styles.family}>
        <Icon name={icon} small />
        <button type="button" className={styles.open} aria-expanded={isOpen} onClick={onOpen}>
          {name}
        </button>
        {more > 0 && <span className={styles.more}>+{more}</span>}
      </h3>
      {figures && (
        <p className={styles.figures}>
          {figures.before !== null && <span className={styles.before}>{figures.before} → </span>}
          <span className={styles.now}>{figures.now}</span>{" "}
          <span className={styles.unit}>{figures.unit}</span>
        </p>
      )}
      <p className={styles.text} title={evidence.text}>
        {evidence.text}
      </p>
      <p className={styles.foot}>
        {exemplar !== undefined ? (
          <TraceLink traceId={exemplar} className={styles.link}>
            {symptom.sli === "errors" ? "A failed trace" : "A slow trace"}
          </TraceLink>
        ) : evidence.query !== null ? (
          <EvidenceLink query={evidence.query} stored={stored} zone={zone} className={styles.link} />
        ) : (
          <span />
        )}
        {evidence.at_s !== null ? (
          <span className="text3">{formatClock(evidence.at_s * 1000, zone)}</span>
        ) : (
          <CardSpark at={at} stored={stored} label={`${name} over time`} />
        )}
      </p>
    </article>
  );
}

function CardSpark({ at, stored, label }: { at: number; stored: StoredWithRevisions; label: string }) {
  const { data } = useEvidence(stored.id, stored.rev, at);
  if (!data) return null;
  const { times, series } = chartOf(data, 1);
  const [first] = series;
  return first ? (
    <span className={styles.spark}>
      <Spark
        values={first.values}
        label={label}
        filled
        onset={onsetShare(times, stored.verdict.window.onset_s)}
      />
    </span>
  ) : null;
}
