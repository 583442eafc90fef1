import { CodeBlock } from "../../components/CodeBlock";
import { Dialog } from "../../components/Dialog";
import type { PlacedPanel } from "../../lib/dashboard/layout";
import { extentAt } from "../../lib/dashboard/text";

interface InspectPanelProps {
  placed: PlacedPanel;
  queries: string[];
  text: string;
  onClose: () => void;
}

/** The queries as they are asked, with every variable in its place, and the panel's JSON. */
export function InspectPanel({ placed, queries, text, onClose }: InspectPanelProps) {
  const extent = extentAt(text, placed.panel.path);
  return (
    <Dialog title={placed.title || placed.panel.type} wide onClose={onClose}>
      {queries.map((query, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a query is its place
        <CodeBlock key={at} code={query} label={`Query ${at + 1} as it is asked`} />
      ))}
      {extent && (
        <CodeBlock
          code={JSON.stringify(JSON.parse(text.slice(extent.start, extent.end)), null, 2)}
          label="The panel's JSON"
        />
      )}
    </Dialog>
  );
}
