import type { Pattern, PatternsAnswer } from "../../../api/patterns";
import { Message } from "../../../components/Message";
import { formatExact, formatShare, plural } from "../../../lib/number";
import { addCondition } from "../../../lib/query/edit";
import type { Span } from "../../../lib/time/range";
import { LoadingRows, SearchFailed } from "../states";
import type { LogsView } from "../url";
import { arrange } from "./arrange";
import { PatternRows } from "./PatternRows";
import styles from "./Patterns.module.css";
import type { PatternSort } from "./url";

interface PatternsTabProps {
  view: LogsView;
  answer: PatternsAnswer | undefined;
  error: Error | null;
  span: Span;
  onChange: (change: Partial<LogsView>) => void;
  onRun: (query: string) => void;
  onRetry: () => void;
}

const sorts: [PatternSort, string][] = [
  ["count", "Count"],
  ["newest", "Newest"],
  ["severity", "Severity"],
];

/** What the matching records have in common: their text without the parts that differ. */
export function PatternsTab({ view, answer, error, onChange, onRun, onRetry }: PatternsTabProps) {
  const { sort, onlyNew, open } = view.patterns;
  const set = (change: Partial<LogsView["patterns"]>) =>
    onChange({ patterns: { ...view.patterns, ...change } });
  if (error) return <SearchFailed error={error} onRetry={onRetry} />;
  if (!answer) return <LoadingRows />;

  const shown = arrange(answer.patterns, sort, onlyNew);
  const filter = (pattern: Pattern, exclude: boolean) => {
    const query = addCondition(view.query, `pattern:${pattern.id}`, exclude);
    // Who filters by a pattern wants its records; who excludes one goes on reading patterns.
    onChange({
      query,
      record: null,
      tab: exclude ? "patterns" : "records",
      patterns: { ...view.patterns, open: null },
    });
  };
  return (
    <>
      <div className={styles.tools}>
        <fieldset className={styles.sort}>
          <legend className="visually-hidden">Sort by</legend>
          {sorts.map(([name, label]) => (
            <button
              key={name}
              type="button"
              className={styles.segment}
              aria-pressed={sort === name}
              onClick={() => set({ sort: name })}
            >
              {label}
            </button>
          ))}
        </fieldset>
        <label className={styles.only}>
          <input
            type="checkbox"
            role="switch"
            aria-checked={onlyNew}
            checked={onlyNew}
            onChange={(event) => set({ onlyNew: event.target.checked })}
          />
          Only new
        </label>
        <span className="grow" />
        <p className={styles.cover}>{coverOf(answer)}</p>
      </div>
      {shown.length > 0 ? (
        <PatternRows
          patterns={shown}
          answer={answer}
          zone={view.zone}
          openId={open}
          onOpen={(id) => set({ open: id })}
          onFilter={filter}
          onCondition={(condition, exclude) => onRun(addCondition(view.query, condition, exclude))}
        />
      ) : (
        <NoPatterns answer={answer} onlyNew={onlyNew} onAll={() => set({ onlyNew: false })} />
      )}
    </>
  );
}

function coverOf({ patterns, matched, without_pattern }: PatternsAnswer): string {
  const covered = patterns.reduce((sum, { count }) => sum + count, 0);
  const share = matched > 0 ? `, ${formatShare(covered / matched)} of ${formatExact(matched)} records` : "";
  const without = without_pattern > 0 ? `; ${formatExact(without_pattern)} have no pattern yet` : "";
  return `${plural(patterns.length, "pattern")}${share}${without}`;
}

interface NoPatternsProps {
  answer: PatternsAnswer;
  onlyNew: boolean;
  onAll: () => void;
}

function NoPatterns({ answer, onlyNew, onAll }: NoPatternsProps) {
  if (onlyNew && answer.patterns.length > 0) {
    return (
      <Message
        title="No pattern is new in this time range"
        actions={
          <button type="button" className="button" onClick={onAll}>
            Show all {answer.patterns.length}
          </button>
        }
      >
        Every pattern here was seen before the range began.
      </Message>
    );
  }
  return (
    <Message title="No patterns">
      {answer.matched === 0
        ? "No record matches in this time range. Choose a longer one, or take conditions away."
        : `${plural(answer.matched, "record matches", "records match")}, and none has a pattern yet: patterns are found in text bodies soon after they arrive.`}
    </Message>
  );
}
