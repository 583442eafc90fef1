// What can be done with a field and its value, wherever one is shown: a tree, a column, a facet.
import { createContext, useContext } from "react";

export interface FieldActions {
  filter: (condition: string, exclude: boolean) => void;
  hasColumn: (field: string) => boolean;
  toggleColumn: (field: string) => void;
  hasFacet: (field: string) => boolean;
  toggleFacet: (field: string) => void;
}

export const FieldActionsContext = createContext<FieldActions | null>(null);

export function useFieldActions(): FieldActions {
  const actions = useContext(FieldActionsContext);
  if (!actions) throw new Error("useFieldActions is used outside of the logs page");
  return actions;
}
