import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { changeView, createView, deleteView, fetchViews, type SavedView } from "../../../api/views";
import type { LogsSearch } from "../url";

export const viewsKey = ["views", "logs"];

export function useViews() {
  return useQuery({ queryKey: viewsKey, queryFn: ({ signal }) => fetchViews("logs", signal) });
}

export type ViewChange =
  | { kind: "save"; name: string; state: LogsSearch }
  | { kind: "change"; view: SavedView; name: string; state: SavedView["state"] }
  | { kind: "delete"; view: SavedView };

/** Saves, changes or deletes, and then reads the list anew, also after a refusal: somebody else may have changed it. */
export function useChangeViews() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (change: ViewChange): Promise<void> => {
      if (change.kind === "save") await createView("logs", change.name, { ...change.state });
      else if (change.kind === "delete") await deleteView(change.view.id);
      else {
        const { name, state, view } = change;
        await changeView(view.id, { name, state, revision: view.revision });
      }
    },
    onSettled: () => client.invalidateQueries({ queryKey: viewsKey }),
  });
}
