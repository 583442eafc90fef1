import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import { readPreferences, writePreferences } from "../../lib/preferences";
import { Icon } from "../Icon";
import { usePreferences } from "../usePreferences";
import { FacetsDrawer } from "./FacetsDrawer";
import { FacetsPanel, type FacetsPanelProps } from "./FacetsPanel";
import side from "./FacetsSide.module.css";

/** Where the facets are: beside the rows when there is room, in a drawer otherwise. */
export interface FacetsPlace {
  wide: boolean;
  shown: boolean;
  toggle: () => void;
}

export function useFacetsPlace(): FacetsPlace {
  const wide = useMediaQuery("(min-width: 1100px)", window.innerWidth >= 1100);
  const { facetsShown } = usePreferences();
  const [drawer, setDrawer] = useState(false);
  const toggle = () => {
    if (wide) writePreferences({ facetsShown: !readPreferences().facetsShown });
    else setDrawer((open) => !open);
  };
  return { wide, shown: wide ? facetsShown : drawer, toggle };
}

interface FacetsSideProps extends FacetsPanelProps {
  place: FacetsPlace;
}

export function FacetsSide({ place, ...props }: FacetsSideProps) {
  const panel = <FacetsPanel {...props} />;
  if (!place.wide) {
    return (
      <FacetsDrawer opened={place.shown} onClose={() => place.shown && place.toggle()}>
        {panel}
      </FacetsDrawer>
    );
  }
  if (!place.shown) return null;
  return (
    <aside className={side.side} aria-labelledby="facets-title">
      <h2 id="facets-title" className="visually-hidden">
        Facets
      </h2>
      {panel}
    </aside>
  );
}

export function FacetsButton({ place }: { place: FacetsPlace }) {
  return (
    <button
      type="button"
      className="button button-quiet button-small"
      aria-label="Facets"
      aria-expanded={place.shown}
      title={place.shown ? "Hide the facets" : "Show the facets"}
      onClick={place.toggle}
    >
      <Icon name="facets" small />
      <span className={side.word}>Facets</span>
    </button>
  );
}
