// Our own few outlines on a 24-unit grid; an icon library would be larger than the rest of the app.
const paths = {
  home: "M4 11l8-7l8 7v9h-5v-6h-6v6h-5z",
  bell: "M6 17v-6a6 6 0 0 1 12 0v6l2 2h-16zM10 22h4",
  rules: "M4 6l1.500 1.500l2.500-3M4 13l1.500 1.500l2.500-3M12 6h8M12 13h8M4 19h16",
  settings: "M4 7h9M19 7h1M13 7a3 3 0 1 0 6 0a3 3 0 1 0-6 0M4 17h1M11 17h9M5 17a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
  users:
    "M5 8a4 4 0 1 0 8 0a4 4 0 1 0-8 0M2 20c.500-4 3-6 7-6s6.500 2 7 6M16 4.500a4 4 0 0 1 0 7M18 14.500c2.500 .800 3.700 2.700 4 5.500",
  key: "M3 15a5 5 0 1 0 10 0a5 5 0 1 0-10 0M11.500 11.500l8.500-8.500M16 7l3 3",
  tenant: "M4 21v-17h10v17M14 9h6v12M2 21h20M8 8h2M8 12h2M8 16h2",
  menu: "M4 6h16M4 12h16M4 18h16",
  search: "M4 11a7 7 0 1 0 14 0a7 7 0 1 0-14 0M16 16l5 5",
  logs: "M4 6h16M4 12h5M4 18h5M12 15a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0M18 18l3 3",
  traces: "M4 17l4-6l4 3l3-8l5 5M4 17v.01",
  metrics: "M4 19h16M4 15l4.500-6l4 3l3.500-5l4 4",
  hosts: "M4 5h16v6h-16zM4 13h16v6h-16zM8 8v.01M8 16v.01",
  services:
    "M9 11a3 3 0 1 0 6 0a3 3 0 1 0-6 0M3 5a2 2 0 1 0 4 0a2 2 0 1 0-4 0M17 5a2 2 0 1 0 4 0a2 2 0 1 0-4 0M10 20a2 2 0 1 0 4 0a2 2 0 1 0-4 0M6.600 6.300l3 2.700M17.400 6.300l-3 2.700M12 14v4",
  database: "M5 6a7 3 0 1 0 14 0a7 3 0 1 0-14 0M5 6v12a7 3 0 0 0 14 0v-12M5 12a7 3 0 0 0 14 0",
  queue: "M3 8h18v8h-18zM9 8v8M15 8v8",
  external: "M14 4h6v6M20 4l-9 9M18 14v6h-14v-14h6",
  dashboards: "M4 4h7v9h-7zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5h-7z",
  status: "M3 12h4l3-8l4 16l3-8h4",
  account: "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M9 10a3 3 0 1 0 6 0a3 3 0 1 0-6 0M6 19c1-3 3-4 6-4s5 1 6 4",
  clock: "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M12 7v5l3 3",
  zoomOut: "M4 11a7 7 0 1 0 14 0a7 7 0 1 0-14 0M8 11h6M16 16l5 5",
  refresh: "M20 11a8 8 0 0 0-15-3M4 4v4h4M4 13a8 8 0 0 0 15 3M20 20v-4h-4",
  down: "M6 9l6 6l6-6",
  right: "M9 6l6 6l-6 6",
  play: "M7 5v14l11-7z",
  copy: "M8 8h11v12h-11zM16 8v-4h-11v12h3",
  check: "M5 12l5 5l9-10",
  checkCircle: "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M8.5 12l2.5 2.5l4.5-5",
  waiting:
    "M12 3a9 9 0 0 1 3 .5M18.5 5.800a9 9 0 0 1 1.800 2.600M21 12a9 9 0 0 1-.6 3M18.300 18.400a9 9 0 0 1-2.600 1.800M12 21a9 9 0 0 1-3-.6M5.700 18.300a9 9 0 0 1-1.900-2.700M3 12a9 9 0 0 1 .6-3M5.700 5.700a9 9 0 0 1 2.600-1.900",
  alert: "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M12 8v5M12 16v.01",
  warning: "M12 4l9 16h-18zM12 10v4M12 17v.01",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  close: "M6 6l12 12M18 6l-12 12",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  table: "M4 5h16v14h-16zM4 10h16M10 10v9",
  chart: "M4 20h16M6 20v-6M11 20v-12M16 20v-9",
  download: "M12 4v11M7 11l5 5l5-5M4 20h16",
  star: "M12 4l2.400 5.200l5.600 .6l-4.200 3.800l1.200 5.600l-5-2.900l-5 2.900l1.200-5.600l-4.200-3.800l5.600-.6z",
  pause: "M8 5v14M16 5v14",
  stop: "M6 6h12v12h-12z",
  edit: "M4 20h4l11-11l-4-4l-11 11zM13 7l4 4",
  trash: "M4 7h16M9 7v-3h6v3M6 7l1 13h10l1-13",
  pattern: "M4 6h4M12 6h8M4 12h10M18 12h2M4 18h2M10 18h10",
  live: "M9.500 12a2.500 2.500 0 1 0 5 0a2.500 2.500 0 1 0-5 0M6.500 6.500a8 8 0 0 0 0 11M17.500 6.500a8 8 0 0 1 0 11",
  columns: "M4 5h16v14h-16zM9.500 5v14M15 5v14",
  facets: "M4 6h2M10 6h10M4 12h2M10 12h10M4 18h2M10 18h10",
  around: "M4 5h16M4 9h16M4 19h16M3 14h18",
  wrap: "M4 6h16M4 12h13a3 3 0 0 1 0 6h-4M15 16l-2 2l2 2M4 18h5",
  full: "M4 9v-5h5M15 4h5v5M20 15v5h-5M9 20h-5v-5",
  upload: "M12 20v-11M7 13l5-5l5 5M4 4h16",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  silenced: "M4 4l16 16M18 14v-3a6 6 0 0 0-8.500-5.400M6.300 9a6 6 0 0 0-.3 2v4l-2 2h13M10 20h4",
  inhibited: "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M8 12h8",
  book: "M5 4h11a3 3 0 0 1 3 3v13h-11a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11",
  send: "M4 12l16-8l-5 17l-4-7zM11 14l9-10",
  lines: "M4 6h16M4 10h16M4 14h16M4 18h10",
  bottleneck: "M6 12a6 6 0 1 0 12 0a6 6 0 1 0-12 0M12 2v6M12 16v6M2 12h6M16 12h6",
  route:
    "M4 6a2 2 0 1 0 4 0a2 2 0 1 0-4 0M16 18a2 2 0 1 0 4 0a2 2 0 1 0-4 0M8 6h8a3 3 0 0 1 0 6h-8a3 3 0 0 0 0 6h8",
  cpu: "M6 6h12v12h-12zM10 10h4v4h-4zM9 3v3M15 3v3M9 18v3M15 18v3M3 9h3M3 15h3M18 9h3M18 15h3",
  commit: "M9 12a3 3 0 1 0 6 0a3 3 0 1 0-6 0M12 3v6M12 15v6",
  share:
    "M4 12a2.500 2.500 0 1 0 5 0a2.500 2.500 0 1 0-5 0M15 6a2.500 2.500 0 1 0 5 0a2.500 2.500 0 1 0-5 0M15 18a2.500 2.500 0 1 0 5 0a2.500 2.500 0 1 0-5 0M8.800 11l6.500-3.600M8.800 13l6.500 3.600",
  thumbUp:
    "M7 11v9h-3v-9zM7 12l4-8a2.500 2.500 0 0 1 2.500 2.500v3.500h5a2 2 0 0 1 2 2.400l-1 5.600a2.500 2.500 0 0 1-2.500 2h-10",
  thumbDown:
    "M7 13v-9h-3v9zM7 12l4 8a2.500 2.500 0 0 0 2.500-2.500v-3.500h5a2 2 0 0 0 2-2.400l-1-5.600a2.500 2.500 0 0 0-2.500-2h-10",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, small = false }: { name: IconName; small?: boolean }) {
  return (
    <svg className={small ? "icon icon-small" : "icon"} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark: two banks narrowing a stream. */
export function Logo({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" aria-hidden="true" strokeLinecap="round">
      <path
        d="M2.5 2.5C6.5 5.5 8 7.5 8 10s-1.5 4.5-5.5 7.5M17.5 2.5C13.5 5.5 12 7.5 12 10s1.5 4.5 5.5 7.5"
        stroke="var(--text)"
        strokeWidth="1.8"
      />
      <circle cx="10" cy="10" r="1.5" fill="var(--accent)" />
    </svg>
  );
}
