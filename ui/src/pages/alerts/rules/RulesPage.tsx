import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { fetchRuleProblems, fetchRules } from "../../../api/rules";
import { ConfigProblems } from "../../../components/ConfigProblems";
import { Failed } from "../../../components/Failed";
import { FindField } from "../../../components/FindField";
import list from "../../../components/List.module.css";
import { Message } from "../../../components/Message";
import { useFindText } from "../../../components/useFindText";
import { useShortcuts } from "../../../components/useShortcuts";
import { formatCount, plural } from "../../../lib/number";
import { formatMoment } from "../../../lib/time/format";
import { sentence } from "../../../lib/words";
import { AlertsHeader } from "../AlertsHeader";
import { allRules, countStates, filterList, findRule, firstRules, listOf } from "./model";
import { RuleDrawer } from "./RuleDrawer";
import { RuleFile } from "./RuleFile";
import { decodeRulesView, encodeRulesView, type RulesView, ruleStates } from "./url";

const route = getRouteApi("/alerts/rules");
const everyMs = 15_000;
/** Of thousands one finds a rule by its name, not by scrolling. */
const rowsAtOnce = 300;

/** Every rule of every file: what it says now, and whether it can be evaluated. */
export function RulesPage() {
  const view = decodeRulesView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const live = { refetchInterval: everyMs, staleTime: 0 };
  const rules = useQuery({ queryKey: ["rules"], queryFn: ({ signal }) => fetchRules(signal), ...live });
  const problems = useQuery({
    queryKey: ["rules", "problems"],
    queryFn: ({ signal }) => fetchRuleProblems(signal),
    ...live,
  });
  const [limit, setLimit] = useState(rowsAtOnce);
  const refresh = () => void Promise.all([rules.refetch(), problems.refetch()]);
  useShortcuts({ r: refresh });
  const update = (change: Partial<RulesView>) =>
    void navigate({ search: encodeRulesView({ ...view, ...change }), replace: true });
  const [filter, setFilter] = useFindText(view.filter, (text) => update({ filter: text }));
  const open = useCallback(
    (key: string) =>
      void navigate({
        search: (before: Record<string, unknown>) => {
          const shown = decodeRulesView(before);
          return encodeRulesView({ ...shown, rule: key === shown.rule ? null : key });
        },
        replace: true,
      }),
    [navigate],
  );

  const files = listOf(rules.data ?? []);
  const counts = countStates(files);
  const total = allRules(files).length;
  const matching = filterList(files, { state: view.state, filter });
  const count = allRules(matching).length;
  const chosen = view.rule === null ? null : findRule(files, view.rule);
  return (
    <>
      <AlertsHeader title="Rules" shown="rules">
        <span className="text3 small">{rules.data && <>checked every 15&nbsp;s</>}</span>
      </AlertsHeader>
      <div className={list.split}>
        <main className={list.page}>
          {total > 0 && (
            <div className={list.tools}>
              <FindField
                label="Find a rule"
                placeholder="Find by name, query, label, file"
                text={filter}
                onText={setFilter}
              />
              <fieldset className={list.states} aria-label="State">
                {ruleStates.map((state) => (
                  <button
                    key={state}
                    type="button"
                    className="button button-small"
                    aria-pressed={view.state === state}
                    onClick={() => update({ state: view.state === state ? null : state })}
                  >
                    {state} <span className="text3 tabular">{formatCount(counts[state])}</span>
                  </button>
                ))}
              </fieldset>
              <span className="text3 small" aria-live="polite">
                {plural(count, "rule")}
                {count < total && ` of ${formatCount(total)}`}
              </span>
            </div>
          )}
          {problems.error && (
            <p role="status" className={list.warn}>
              Whether the files have problems is not known: {sentence(problems.error.message)}
            </p>
          )}
          {(problems.data ?? []).map(({ file, problems: faults, loaded_at }) => (
            <ConfigProblems
              key={file}
              file={file}
              problems={faults}
              consequence={
                loaded_at === null
                  ? "None of its rules run until the file is mended."
                  : `The version of ${formatMoment(Date.parse(loaded_at), "utc")} UTC runs until the file is mended.`
              }
            />
          ))}
          {view.rule !== null && rules.data && !chosen && (
            <Message
              title={`No rule is called ${view.rule}`}
              actions={
                <button type="button" className="button" onClick={() => update({ rule: null })}>
                  Show all rules
                </button>
              }
            >
              It may have been renamed, moved to another group or removed.
            </Message>
          )}
          {rules.error && !rules.data ? (
            <Failed error={rules.error} onRetry={refresh} />
          ) : rules.isPending ? (
            <div className={`panel skeleton ${list.skeleton}`} />
          ) : total === 0 ? (
            <Message title="There are no rules">
              Name files of them under <code>rule_files</code> in the collector's configuration; those that
              came with Narrows are there unless <code>shipped_rules</code> is <code>false</code>.
            </Message>
          ) : count === 0 ? (
            <Message
              title="No rule matches"
              actions={
                <button
                  type="button"
                  className="button"
                  onClick={() => {
                    setFilter("");
                    update({ filter: "", state: null });
                  }}
                >
                  Show all {formatCount(total)}
                </button>
              }
            />
          ) : (
            <>
              {firstRules(matching, limit).map((file) => (
                <RuleFile key={file.file} file={file} chosen={view.rule} onOpen={open} />
              ))}
              {count > limit && (
                <button
                  type="button"
                  className={`button ${list.moreRows}`}
                  onClick={() => setLimit(limit + rowsAtOnce)}
                >
                  Show {formatCount(Math.min(rowsAtOnce, count - limit))} more of {formatCount(count)}
                </button>
              )}
            </>
          )}
        </main>
        {chosen && <RuleDrawer found={chosen} onClose={() => update({ rule: null })} />}
      </div>
    </>
  );
}
