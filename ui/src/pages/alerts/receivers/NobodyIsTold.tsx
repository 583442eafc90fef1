import type { Receivers } from "../../../api/receivers";
import { CodeBlock } from "../../../components/CodeBlock";
import { Icon } from "../../../components/Icon";
import { deadEnds } from "./model";
import styles from "./Receivers.module.css";

const example = (name: string) => `# alertmanager.yml
route:
  receiver: ${name}
  group_by: [alertname, service, host]
  group_wait: 10s
receivers:
  - name: ${name}
    email_configs:
      - to: you@example.com
        from: narrows@example.com
        smarthost: smtp.example.com:587
        auth_username: narrows@example.com
        auth_password_file: /etc/narrows/smtp-password`;

/** Alerts fire and nobody hears of it: said first, with what to do. */
export function NobodyIsTold({ answer }: { answer: Receivers }) {
  const { names, all } = deadEnds(answer);
  if (names.length === 0) return null;
  if (!all)
    return (
      <p className={styles.deadEnd} role="status">
        <Icon name="warning" small />
        <span>
          Routes lead to {names.map((name) => `“${name}”`).join(", ")}, and nothing is sent from there: no
          integration is named that Narrows sends to.
        </span>
      </p>
    );
  const [first = "on-call"] = names;
  return (
    <section className={`panel ${styles.nobody}`} aria-label="Nobody is told">
      <h2>
        <Icon name="warning" />
        Nobody is told: alerts fire, and no message is sent
      </h2>
      <ol>
        <li>
          Write a file of Alertmanager's form: who is told, and how. An Alertmanager's file that you have will
          do as it is; e-mail, Slack, PagerDuty and webhooks are sent.
          <CodeBlock code={example(first)} label="A configuration with e-mail" />
        </li>
        <li>
          Name it in the collector's configuration, and start the collector again. Later changes of the file
          need no start.
          <CodeBlock
            code="alertmanager_config: /etc/narrows/alertmanager.yml"
            label="In the collector's configuration"
          />
        </li>
        <li>Send a test from here.</li>
      </ol>
    </section>
  );
}
