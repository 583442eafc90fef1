// The one file of colours, spaces and sizes. A role carries [dark, light]; components use roles, never shades.
export const roles = {
  canvas: ["#0B0F15", "#F5F6F8"],
  panel: ["#13171F", "#FFFFFF"],
  raised: ["#1B212B", "#FFFFFF"],
  inset: ["#070A0F", "#F0F2F5"],
  hover: ["#202733", "#EDF0F4"],
  line: ["#252C38", "#E1E5EA"],
  "line-strong": ["#3A4453", "#C3CAD4"],
  "line-control": ["#6B7789", "#808A98"],
  text: ["#E7EAEF", "#131922"],
  "text-2": ["#AAB4C2", "#465060"],
  "text-3": ["#8591A1", "#626D7D"],
  grid: ["#222935", "#ECEFF3"],
  ghost: ["#394353", "#CBD2DB"],
  accent: ["#AF9DFF", "#6E49CE"],
  "accent-fill": ["#7F59E7", "#6E49CE"],
  "on-accent": ["#FFFFFF", "#FFFFFF"],
  crit: ["#FF7276", "#C42B38"],
  "crit-mark": ["#FF6A6E", "#DB3A46"],
  "crit-fill": ["#D13B45", "#C42B38"],
  warn: ["#F0B13C", "#8F5700"],
  "warn-mark": ["#F0B13C", "#C47E00"],
  ok: ["#52C48E", "#157347"],
  info: ["#74B2F7", "#1B67B8"],
  unknown: ["#8591A1", "#626D7D"],
  "syn-field": ["#7DB0EE", "#0B5FA5"],
  "syn-value": ["#5BD3B7", "#0A6753"],
  "syn-string": ["#E2A56F", "#8F4F0C"],
  "syn-verb": ["#EA86AC", "#9C3568"],
  "log-info": ["#4F6A8C", "#8FA9C9"],
  "log-debug": ["#3A4657", "#B9C3D0"],
  "log-trace": ["#2B3442", "#D5DBE3"],
  straw: ["#EDDF85", "#8A7405"],
  overlay: [
    "0 0 0 1px #303947, 0 12px 32px rgb(0 0 0 / .55)",
    "0 0 0 1px #D5DBE3, 0 12px 32px rgb(19 25 34 / .16)",
  ],
  scrim: ["rgb(5 7 10 / .62)", "rgb(30 38 50 / .34)"],
} as const satisfies Record<string, readonly [dark: string, light: string]>;

export type Role = keyof typeof roles;

// Ten shades each, light to dark; only the component library reads them.
export const palettes = {
  violet: "#F5F5FD #EAE7FE #D7D1FF #C2B7FF #AF9DFF #9B7FFE #7F59E7 #6E49CE #5A39AC #412681",
  red: "#FDF3F2 #FDE2E0 #FDC6C3 #FDA6A3 #FD8281 #FC525A #DE3443 #BE192F #9A0220 #6E0214",
  gray: "#F9FAFB #F3F4F6 #E9EBEE #DDE0E4 #C6CBD1 #989FA8 #68717C #48515C #2E3641 #151B23",
  dark: "#E7EAEE #B8BEC7 #929AA6 #5B6471 #38404D #232B35 #13171F #0B0F15 #070A0F #040508",
} as const;

export const fonts = {
  sans: '"Inter Variable", Inter, system-ui, sans-serif',
  mono: '"JetBrains Mono Variable", "JetBrains Mono", ui-monospace, monospace',
} as const;

/** Heights that scripts need too: virtual lists and canvases. */
export const sizes = {
  logRowPx: 22,
  logRowPhonePx: 48,
  logHeaderPx: 26,
  logHeaderPhonePx: 44,
  tableRowPx: 28,
  patternRowPhonePx: 64,
  histogramPx: 104,
} as const;
