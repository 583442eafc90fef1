// Which steps a unit has: "bytes" counts by 1024, "decbytes" by 1000, "s" by 60 above a minute.
import type { UnitStep } from "./units";

type Steps = [factor: number, suffix: string][];

const iec: Steps = [
  [1, "B"],
  [2 ** 10, "KiB"],
  [2 ** 20, "MiB"],
  [2 ** 30, "GiB"],
  [2 ** 40, "TiB"],
  [2 ** 50, "PiB"],
];
const si: Steps = [
  [1, "B"],
  [1e3, "kB"],
  [1e6, "MB"],
  [1e9, "GB"],
  [1e12, "TB"],
  [1e15, "PB"],
];
const short: Steps = [
  [1, ""],
  [1e3, "k"],
  [1e6, "M"],
  [1e9, "G"],
  [1e12, "T"],
];
const seconds: Steps = [
  [1e-9, "ns"],
  [1e-6, "µs"],
  [1e-3, "ms"],
  [1, "s"],
  [60, "min"],
  [3600, "h"],
  [86_400, "d"],
];
const hertz: Steps = [
  [1, "Hz"],
  [1e3, "kHz"],
  [1e6, "MHz"],
  [1e9, "GHz"],
];

/** The same steps, of a unit that is `size` times as large. */
function times(steps: Steps, size: number): Steps {
  return steps.map(([factor, suffix]) => [factor / size, suffix]);
}

function named(steps: Steps, change: (suffix: string) => string): Steps {
  return steps.map(([factor, suffix]) => [factor, change(suffix)]);
}

const bits = (steps: Steps): Steps => named(steps, (suffix) => suffix.replace(/B$/, "b"));
const perSecond = (steps: Steps): Steps => named(steps, (suffix) => `${suffix}/s`);
const counted = (name: string): Steps =>
  named(short, (suffix) => (suffix === "" ? name : `${suffix} ${name}`));
const plain = (suffix: string): Steps => [[1, suffix]];

const table: Record<string, Steps> = {
  none: plain(""),
  locale: plain(""),
  short,
  percent: plain("%"),
  // 0.58 is 58 %.
  percentunit: [[0.01, "%"]],
  humidity: plain("%H"),
  dB: plain("dB"),
  // Sizes
  bytes: iec,
  decbytes: si,
  bits: bits(iec),
  decbits: bits(si),
  kbytes: times(iec, 2 ** 10),
  mbytes: times(iec, 2 ** 20),
  gbytes: times(iec, 2 ** 30),
  deckbytes: times(si, 1e3),
  decmbytes: times(si, 1e6),
  decgbytes: times(si, 1e9),
  // Sizes per second
  Bps: perSecond(si),
  binBps: perSecond(iec),
  bps: perSecond(bits(si)),
  binbps: perSecond(bits(iec)),
  KBs: perSecond(times(si, 1e3)),
  MBs: perSecond(times(si, 1e6)),
  GBs: perSecond(times(si, 1e9)),
  KiBs: perSecond(times(iec, 2 ** 10)),
  MiBs: perSecond(times(iec, 2 ** 20)),
  Kbits: perSecond(bits(times(si, 1e3))),
  Mbits: perSecond(bits(times(si, 1e6))),
  pps: counted("p/s"),
  // Counts per second and minute
  reqps: counted("req/s"),
  ops: counted("ops/s"),
  iops: counted("io/s"),
  cps: counted("c/s"),
  eps: counted("evt/s"),
  mps: counted("msg/s"),
  rps: counted("rd/s"),
  wps: counted("wr/s"),
  recps: counted("rec/s"),
  rowsps: counted("rows/s"),
  reqpm: counted("req/min"),
  opm: counted("ops/min"),
  cpm: counted("c/min"),
  // Time
  s: seconds,
  ns: times(seconds, 1e-9),
  µs: times(seconds, 1e-6),
  ms: times(seconds, 1e-3),
  m: times(seconds, 60),
  h: times(seconds, 3600),
  d: times(seconds, 86_400),
  dtdurations: seconds,
  dtdurationms: times(seconds, 1e-3),
  clocks: seconds,
  timeticks: times(seconds, 0.01),
  hertz,
  rothz: hertz,
  rotrpm: plain("rpm"),
  // Physical
  celsius: plain("°C"),
  fahrenheit: plain("°F"),
  kelvin: plain("K"),
  watt: [
    [1, "W"],
    [1e3, "kW"],
    [1e6, "MW"],
  ],
  watth: plain("Wh"),
  joule: plain("J"),
  volt: plain("V"),
  amp: plain("A"),
};

export const unitFamilies: Record<string, UnitStep[] | undefined> = Object.fromEntries(
  Object.entries(table).map(([unit, steps]) => [
    unit,
    steps.map(([factor, suffix]) => ({ factor, suffix })).sort((a, b) => a.factor - b.factor),
  ]),
);
