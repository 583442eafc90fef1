import { Choice, ChoiceLabel, Choices } from "../../../components/Choices";
import { Icon } from "../../../components/Icon";
import { type Grouping, groupings } from "../url";
import styles from "./GroupChoice.module.css";
import { readableNodes } from "./graph";

const names: Record<Grouping, string> = {
  auto: "automatic",
  none: "nothing",
  leaves: "leaves",
  prefix: "name",
};
const meanings: Record<Grouping, string> = {
  auto: `Automatic: above ${readableNodes} nodes`,
  none: "Nothing: every node by itself",
  leaves: "Leaves: what one service alone calls",
  prefix: "Name: what begins alike",
};

export function GroupChoice({ chosen, onChoose }: { chosen: Grouping; onChoose: (group: Grouping) => void }) {
  return (
    <Choices
      label="Group"
      position="bottom-start"
      button={(toggle) => (
        <button type="button" className={`button button-small ${styles.button}`} onClick={toggle}>
          <span className="text3">group</span> {names[chosen]}
          <Icon name="down" small />
        </button>
      )}
    >
      {(close) => (
        <>
          <ChoiceLabel>Several nodes as one</ChoiceLabel>
          {groupings.map((group) => (
            <Choice
              key={group}
              chosen={group === chosen}
              onChoose={() => {
                close();
                onChoose(group);
              }}
            >
              {meanings[group]}
            </Choice>
          ))}
        </>
      )}
    </Choices>
  );
}
