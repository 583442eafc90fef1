import { Icon } from "./Icon";

/** What came is shown; what did not is said. */
export function PartialTag({ warnings }: { warnings: string[] }) {
  if (warnings.length === 0) return null;
  return (
    <span className="tag tag-warn" title={warnings.join("\n")} role="status">
      <Icon name="warning" small />
      Partial: {warnings[0]}
      {warnings.length > 1 && ` and ${warnings.length - 1} more`}
    </span>
  );
}
