import { type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import { Choice, ChoiceLabel, Choices } from "../components/Choices";
import { Icon } from "../components/Icon";
import { usePhone } from "../components/usePhone";
import { useSession, useSignOut } from "./session";

interface AccountMenuProps {
  open: boolean;
  onHelp: () => void;
  itemClass: string | undefined;
  labelClass: string | undefined;
}

const schemes: [value: MantineColorScheme, label: string][] = [
  ["dark", "Dark"],
  ["light", "Light"],
  ["auto", "As the system"],
];

/** Who is signed in, the colour scheme, the keys, sign out. */
export function AccountMenu({ open, onHelp, itemClass, labelClass }: AccountMenuProps) {
  const phone = usePhone();
  const session = useSession();
  const signOut = useSignOut();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Choices
      label="Account"
      position={phone ? "top-end" : "right-end"}
      button={(toggle) => (
        <button
          type="button"
          className={itemClass}
          title={open ? undefined : `Account: ${session.user}`}
          onClick={toggle}
        >
          <Icon name="account" />
          <span className={labelClass}>{session.user}</span>
        </button>
      )}
    >
      {(close) => (
        <>
          <ChoiceLabel>
            {session.user}, {session.role} of tenant {session.tenant}
          </ChoiceLabel>
          <ChoiceLabel>Colours</ChoiceLabel>
          {schemes.map(([value, label]) => (
            <Choice key={value} chosen={colorScheme === value} onChoose={() => setColorScheme(value)}>
              {label}
            </Choice>
          ))}
          <ChoiceLabel>Narrows</ChoiceLabel>
          <Choice
            chosen={null}
            onChoose={() => {
              close();
              onHelp();
            }}
          >
            Keyboard <kbd>?</kbd>
          </Choice>
          <Choice chosen={null} onChoose={() => void signOut()}>
            Sign out
          </Choice>
        </>
      )}
    </Choices>
  );
}
