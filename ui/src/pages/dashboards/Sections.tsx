import { Icon } from "../../components/Icon";
import type { PlacedSection } from "../../lib/dashboard/layout";
import type { Lacking } from "../../lib/dashboard/model";
import { plural } from "../../lib/number";
import type { Span } from "../../lib/time/range";
import styles from "./DashboardPage.module.css";
import { type PanelActions, PanelFrame } from "./PanelFrame";
import type { DashboardView } from "./url";

interface SectionsProps extends PanelActions {
  sections: PlacedSection[];
  view: DashboardView;
  lacking: Lacking[];
  span: Span;
  generation: number;
  ready: boolean;
  onTurn: (key: string) => void;
}

/** Rows of panels; or one panel that has the whole page. */
export function Sections(props: SectionsProps) {
  const { sections, view, lacking, span, generation, ready, onTurn, ...actions } = props;
  const frame = (placed: PlacedSection["panels"][number], full: boolean) => (
    <PanelFrame
      key={placed.key}
      placed={placed}
      span={span}
      zone={view.zone}
      generation={generation}
      ready={ready}
      full={full}
      editing={view.editing}
      lacking={lacking
        .filter(({ panel }) => panel === (placed.panel.title || `panel ${placed.panel.key}`))
        .map(({ what }) => what)}
      {...actions}
    />
  );
  const alone = sections.flatMap(({ panels }) => panels).find(({ key }) => key === view.panel);
  if (alone) return frame(alone, true);
  return sections.map(({ key, title, collapsed, panels }) => {
    const shown = title === null || collapsed === view.turned.includes(key);
    return (
      <section key={key} className={styles.section} aria-label={title ?? "Panels"}>
        {title !== null && (
          <h2>
            <button type="button" className={styles.row} aria-expanded={shown} onClick={() => onTurn(key)}>
              <Icon name={shown ? "down" : "right"} small />
              {title || "Row"}
              {!shown && <span className="text3">{plural(panels.length, "panel")}</span>}
            </button>
          </h2>
        )}
        {shown && panels.length > 0 && (
          <div className={styles.grid}>{panels.map((placed) => frame(placed, false))}</div>
        )}
      </section>
    );
  });
}
