import { getRouteApi, Link, useCanGoBack, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { PageHeader } from "../../app/PageHeader";
import { Message } from "../../components/Message";
import { endMsOf, type SilenceDraft } from "../../components/silence/draft";
import { SilenceForm } from "../../components/silence/SilenceForm";
import { formatMatchers, parseMatchers } from "../../lib/matchers";
import { formatMoment } from "../../lib/time/format";
import { zoneLabel } from "../../lib/time/zone";
import styles from "./Alerts.module.css";
import { Crumb } from "./Crumb";
import { silencePath } from "./links";
import { decodeSilenceView } from "./url";

const route = getRouteApi("/alerts/silences/new");

interface Saved {
  id: string;
  draft: SilenceDraft;
  endMs: number;
}

/** A new silence, of the matchers in the address: where the links in messages lead, and the button at an alert. */
export function SilencePage() {
  const { filter, zone } = decodeSilenceView(route.useSearch() as Record<string, unknown>);
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const [saved, setSaved] = useState<Saved | null>(null);
  const { matchers, fault } = parseMatchers(filter);
  return (
    <>
      <PageHeader title="Silence alerts" lead={<Crumb />} />
      <main className={`${styles.page} ${styles.pinned}`}>
        {saved ? (
          <Message
            title={`Quiet until ${formatMoment(saved.endMs, zone)} ${zoneLabel(zone, saved.endMs)}`}
            actions={
              <>
                <Link
                  to="/alerts"
                  search={{ filter: formatMatchers(saved.draft.matchers) }}
                  className="button button-primary"
                >
                  Open these alerts
                </Link>
                <Link to={silencePath(saved.id)} className="button">
                  Open the silence
                </Link>
              </>
            }
          >
            Nobody is told of alerts with <code>{formatMatchers(saved.draft.matchers)}</code>. They stay on
            the list, as silenced.
          </Message>
        ) : (
          <>
            {fault && (
              <p className={styles.fault} role="alert">
                The link's matchers cannot be read from character {fault.start + 1} on: {fault.message}.
              </p>
            )}
            <SilenceForm
              key={filter}
              {...(matchers.length > 0 && { initial: { matchers } })}
              zone={zone}
              onSaved={(id, draft) =>
                setSaved({ id, draft, endMs: endMsOf(draft, zone, Date.now()) ?? Date.now() })
              }
              // Who came by the link in a message has nowhere to go back to.
              onCancel={() => (canGoBack ? router.history.back() : void router.navigate({ to: "/alerts" }))}
            />
          </>
        )}
      </main>
    </>
  );
}
