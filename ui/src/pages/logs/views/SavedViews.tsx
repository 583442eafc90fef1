import { Popover } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { usePaletteActions } from "../../../app/palette/store";
import { Icon } from "../../../components/Icon";
import type { LogsView } from "../url";
import styles from "./SavedViews.module.css";
import { isSameState, stateOf, viewState } from "./state";
import { useViews } from "./useViews";
import { ViewsPanel } from "./ViewsPanel";

const route = getRouteApi("/logs");

/** The views that the tenant has saved; the button is called by the one that is on the screen. */
export function SavedViews({ view }: { view: LogsView }) {
  const [open, setOpen] = useState(false);
  const navigate = route.useNavigate();
  const views = useViews();
  const state = viewState(view);
  const shown = views.data?.find((saved) => isSameState(stateOf(saved), state));
  usePaletteActions([{ label: "Save this view", icon: "star", group: "Do", run: () => setOpen(true) }]);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start">
      <Popover.Target>
        <button
          type="button"
          className={`button button-quiet button-small ${styles.open}`}
          aria-label={shown ? `Saved views: ${shown.name}` : "Saved views"}
          onClick={() => setOpen(!open)}
        >
          <Icon name="star" small />
          <span className={styles.words}>{shown ? shown.name : "Saved views"}</span>
          <Icon name="down" small />
        </button>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label="Saved views">
        <ViewsPanel
          views={views}
          state={state}
          zone={view.zone}
          shownId={shown?.id ?? null}
          onOpen={(search) => {
            setOpen(false);
            void navigate({ search });
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}
