import { Choice, ChoiceLabel, Choices } from "../components/Choices";
import { Icon } from "../components/Icon";
import { writePreferences } from "../lib/preferences";
import { useSession } from "./session";
import styles from "./TenantChooser.module.css";

/** In every header when there is a choice: whose data is shown. The phone has it in its sheet. */
export function TenantChooser() {
  const { tenant, tenants } = useSession();
  if (tenants.length < 2) return null;
  return (
    <Choices
      label="Tenant"
      position="bottom-end"
      button={(toggle) => (
        <button
          type="button"
          className={`button button-small ${styles.chooser}`}
          aria-haspopup="dialog"
          onClick={toggle}
        >
          <span className="text3">tenant </span>
          <span className={styles.name}>{tenant}</span>
          <Icon name="down" small />
        </button>
      )}
    >
      {(close) => (
        <>
          <ChoiceLabel>Look at the data of</ChoiceLabel>
          {tenants.map(({ name, role }) => (
            <Choice
              key={name}
              chosen={name === tenant}
              onChoose={() => {
                close();
                writePreferences({ tenant: name });
              }}
            >
              <span className={styles.name}>{name}</span>
              <span className="text3 small">{role}</span>
            </Choice>
          ))}
        </>
      )}
    </Choices>
  );
}

/** The same choice as buttons, for the phone's sheet. */
export function TenantChoices({
  className,
  onChosen,
}: {
  className: string | undefined;
  onChosen: () => void;
}) {
  const { tenant, tenants } = useSession();
  if (tenants.length < 2) return null;
  return tenants.map(({ name, role }) => (
    <button
      key={name}
      type="button"
      className={className}
      aria-pressed={name === tenant}
      onClick={() => {
        onChosen();
        writePreferences({ tenant: name });
      }}
    >
      <Icon name="tenant" />
      {name}, {role}
    </button>
  ));
}
