import { Outlet, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { usePhone } from "../components/usePhone";
import { useShortcuts } from "../components/useShortcuts";
import { PhoneBar } from "./PhoneBar";
import { Palette } from "./palette/Palette";
import { Rail } from "./Rail";
import styles from "./Shell.module.css";
import { ShortcutHelp } from "./ShortcutHelp";

/** The frame of every page: the rail, the page, the list of keys. */
export function Shell() {
  const navigate = useNavigate();
  const phone = usePhone();
  const [help, setHelp] = useState(false);
  useShortcuts({
    "g o": () => navigate({ to: "/" }),
    "g b": () => navigate({ to: "/bottlenecks" }),
    "g s": () => navigate({ to: "/services" }),
    "g t": () => navigate({ to: "/traces" }),
    "g l": () => navigate({ to: "/logs" }),
    "g m": () => navigate({ to: "/explore" }),
    "g h": () => navigate({ to: "/hosts" }),
    "g d": () => navigate({ to: "/dashboards" }),
    "g a": () => navigate({ to: "/alerts" }),
    "?": () => setHelp(true),
  });
  return (
    <div className={styles.frame}>
      {phone ? <PhoneBar onHelp={() => setHelp(true)} /> : <Rail onHelp={() => setHelp(true)} />}
      <div className={styles.page}>
        <Outlet />
      </div>
      <Palette onHelp={() => setHelp(true)} />
      <ShortcutHelp opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}
