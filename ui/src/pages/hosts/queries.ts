// Every PromQL of the host pages. Names are those of our agent's host metrics; whoever renames one changes it here.

/** Of the list: over so long rates are taken. */
const recent = "2m";
/** Hosts that went silent are listed for so long. */
export const listedDays = 1;

const pressure = "narrows_host_pressure_stalled_seconds_total";
const selector = (host: string) => `host_name=${JSON.stringify(host)}`;

/** `metric{one, other}`, without braces when there is nothing in them. */
function select(metric: string, ...matchers: string[]): string {
  const inner = matchers.filter((matcher) => matcher !== "").join(", ");
  return inner === "" ? metric : `${metric}{${inner}}`;
}

/** One value per host, or per host and one more label; of one host when it is named. */
export function listQueries(host: string | null = null) {
  const of = host === null ? "" : selector(host);
  const rate = (metric: string, ...matchers: string[]) =>
    `rate(${select(metric, of, ...matchers)}[${recent}])`;
  const uptime = select("system_uptime_seconds", of);
  const used = select("system_memory_usage_bytes", of, 'system_memory_state="used"');
  const fileSystems = "sum by (host_name, system_filesystem_mountpoint)";
  const usable = 'system_filesystem_state=~"used|free"';
  const filled = select("system_filesystem_usage_bytes", of, 'system_filesystem_state="used"');
  return {
    // A ratio: the rate of a host that has just begun is too low, of idle time as of all.
    cpuBusy: `1 - sum by (host_name) (${rate("system_cpu_time_seconds_total", 'cpu_mode="idle"')}) / sum by (host_name) (${rate("system_cpu_time_seconds_total")})`,
    cores: `count by (host_name) (count by (host_name, cpu) (${select("system_cpu_time_seconds_total", of)}))`,
    load: `max by (host_name) (${select("system_cpu_load_average_1m", of)})`,
    memoryUsed: `sum by (host_name) (${used}) / max by (host_name) (${select("system_memory_limit_bytes", of)})`,
    pressure: `max by (host_name, resource) (${rate(pressure, 'kind="some"')})`,
    // As df counts: what only root may use is neither used nor free.
    fileSystems: `${fileSystems} (${filled}) / ${fileSystems} (${select("system_filesystem_usage_bytes", of, usable)})`,
    diskBusy: `max by (host_name) (${rate("system_disk_io_time_seconds_total")})`,
    network: `sum by (host_name, network_io_direction) (${rate("system_network_io_bytes_total", 'network_interface_name!="lo"')})`,
    uptime: `max by (host_name) (${uptime})`,
    lastSeen: `max by (host_name) (timestamp(${uptime}))`,
    lastSeenBefore: `max by (host_name) (max_over_time(timestamp(${uptime})[${listedDays}d:5m]))`,
  };
}

export type ListQuery = keyof ReturnType<typeof listQueries>;

/** Of the sparklines: one answer for all hosts. */
export function sparkQueries(interval: string): { pressure: string; cpuBusy: string } {
  return {
    pressure: `max by (host_name) (rate(${pressure}{kind="some"}[${interval}]))`,
    cpuBusy: `1 - sum by (host_name) (rate(system_cpu_time_seconds_total{cpu_mode="idle"}[${interval}])) / sum by (host_name) (rate(system_cpu_time_seconds_total[${interval}]))`,
  };
}

export interface ChartQuery {
  text: string;
  /** "{{system_device}} read". */
  legend: string;
  /** Of the series by name. */
  colours?: Record<string, number>;
}

export interface ChartSpec {
  id: string;
  title: string;
  /** Unit and statistic, where the values do not say it. */
  note?: string;
  unit: string;
  queries: ChartQuery[];
  stack?: boolean;
  /** The top of the axis. */
  max?: number;
  /** Is zero on the axis? Everywhere but where it means nothing. */
  zero?: boolean;
  thresholds?: { value: number; kind: "warn" | "crit"; label: string }[];
  /** Where there may be none: "This machine says no temperatures". */
  absent: string;
  /** Columns of twelve. */
  width: 3 | 4 | 6;
}

const modeColours = { user: 1, system: 2, iowait: 3, steal: 4, nice: 6, interrupt: 5, softirq: 8 };
const pressureColours = { CPU: 1, IO: 2, memory: 3 };

/** The charts of one host, in their order. */
export function hostCharts(host: string, interval: string): ChartSpec[] {
  const of = selector(host);
  const rate = (metric: string, more = "") => `rate(${metric}{${of}${more}}[${interval}])`;
  const stalled = (resource: string, kind = "some") =>
    `max(${rate(pressure, `, resource="${resource}", kind="${kind}"`)})`;
  const perDevice = (metric: string, direction: string) =>
    `sum by (system_device) (${rate(metric, `, disk_io_direction="${direction}"`)})`;
  const network = (metric: string, direction: string) =>
    `sum(${rate(metric, `, network_io_direction="${direction}", network_interface_name!="lo"`)})`;
  return [
    {
      id: "cpu",
      title: "CPU by mode",
      note: "of all cores",
      unit: "percentunit",
      stack: true,
      max: 1,
      width: 4,
      absent: "The agent on this host sends no CPU times.",
      queries: [
        {
          text: `avg by (cpu_mode) (sum by (cpu, cpu_mode) (${rate("system_cpu_time_seconds_total", ', cpu_mode!="idle"')}))`,
          legend: "{{cpu_mode}}",
          colours: modeColours,
        },
      ],
    },
    {
      id: "pressure",
      title: "Pressure",
      note: "share of time that something waited",
      unit: "percentunit",
      width: 4,
      absent: "This kernel gives no pressure (PSI); Linux 4.20 and newer do, unless it is switched off.",
      thresholds: [{ value: 0.25, kind: "warn", label: "saturated 25\u00a0%" }],
      queries: [
        { text: stalled("cpu"), legend: "CPU", colours: pressureColours },
        { text: stalled("io"), legend: "IO", colours: pressureColours },
        { text: stalled("memory"), legend: "memory", colours: pressureColours },
      ],
    },
    {
      id: "memory",
      title: "Memory",
      unit: "bytes",
      stack: true,
      width: 4,
      absent: "The agent on this host sends no memory sizes.",
      queries: [
        {
          text: `sum by (system_memory_state) (system_memory_usage_bytes{${of}, system_memory_state!="free"})`,
          legend: "{{system_memory_state}}",
          colours: { used: 1, cached: 6, buffers: 5 },
        },
      ],
    },
    {
      id: "load",
      title: "Load",
      note: "runnable and waiting threads",
      unit: "short",
      width: 3,
      absent: "The agent on this host sends no load.",
      queries: [
        { text: `max(system_cpu_load_average_1m{${of}})`, legend: "1 min", colours: { "1 min": 1 } },
        { text: `max(system_cpu_load_average_5m{${of}})`, legend: "5 min", colours: { "5 min": 6 } },
        { text: `max(system_cpu_load_average_15m{${of}})`, legend: "15 min", colours: { "15 min": 9 } },
      ],
    },
    {
      id: "paging",
      title: "Paging",
      note: "faults per second",
      unit: "none",
      width: 3,
      absent: "The agent on this host sends no page faults.",
      queries: [
        {
          text: `sum by (system_paging_type) (${rate("system_paging_faults_total")})`,
          legend: "{{system_paging_type}}",
        },
      ],
    },
    {
      id: "swap",
      title: "Swap",
      unit: "bytes",
      stack: true,
      width: 3,
      absent: "This host has no swap.",
      queries: [
        {
          text: `sum by (system_paging_state) (system_paging_usage_bytes{${of}})`,
          legend: "{{system_paging_state}}",
          colours: { used: 1, free: 9 },
        },
      ],
    },
    {
      id: "temperature",
      title: "Temperature",
      unit: "celsius",
      zero: false,
      width: 3,
      absent: "This machine has no sensors that its kernel reads; virtual ones seldom do.",
      queries: [
        {
          text: `max by (sensor) (narrows_host_temperature_celsius{${of}})`,
          legend: "{{sensor}}",
        },
      ],
    },
    {
      id: "disk-bytes",
      title: "Disk throughput",
      unit: "binBps",
      width: 3,
      absent: "The agent on this host sends no disk traffic.",
      queries: [
        { text: perDevice("system_disk_io_bytes_total", "read"), legend: "{{system_device}} read" },
        { text: perDevice("system_disk_io_bytes_total", "write"), legend: "{{system_device}} write" },
      ],
    },
    {
      id: "disk-operations",
      title: "Disk operations",
      unit: "iops",
      width: 3,
      absent: "The agent on this host sends no disk operations.",
      queries: [
        { text: perDevice("system_disk_operations_total", "read"), legend: "{{system_device}} read" },
        { text: perDevice("system_disk_operations_total", "write"), legend: "{{system_device}} write" },
      ],
    },
    {
      id: "disk-latency",
      title: "Disk latency",
      note: "mean per operation",
      unit: "s",
      width: 3,
      absent: "No disk of this host did anything.",
      queries: ["read", "write"].map((direction) => ({
        text: `${perDevice("system_disk_operation_time_seconds_total", direction)} / ${perDevice("system_disk_operations_total", direction)}`,
        legend: `{{system_device}} ${direction}`,
      })),
    },
    {
      id: "disk-busy",
      title: "Disk busy",
      note: "share of time",
      unit: "percentunit",
      max: 1,
      width: 3,
      absent: "The agent on this host sends no disk times.",
      queries: [
        {
          text: `max by (system_device) (${rate("system_disk_io_time_seconds_total")})`,
          legend: "{{system_device}}",
        },
      ],
    },
    {
      id: "network",
      title: "Network",
      note: "without loopback",
      unit: "Bps",
      width: 6,
      absent: "The agent on this host sends no network traffic.",
      queries: [
        { text: network("system_network_io_bytes_total", "receive"), legend: "in", colours: { in: 1 } },
        { text: network("system_network_io_bytes_total", "transmit"), legend: "out", colours: { out: 2 } },
      ],
    },
    {
      id: "network-trouble",
      title: "Network trouble",
      note: "events per second",
      unit: "none",
      width: 6,
      absent: "The agent on this host sends neither drops nor errors.",
      queries: [
        {
          text: `sum(${rate("system_network_packet_dropped_total")})`,
          legend: "dropped",
          colours: { dropped: 5 },
        },
        { text: `sum(${rate("system_network_errors_total")})`, legend: "errors", colours: { errors: 4 } },
        {
          text: `sum(${rate("narrows_host_tcp_retransmits_total")})`,
          legend: "TCP retransmits",
          colours: { "TCP retransmits": 2 },
        },
      ],
    },
  ];
}

/** Of the tables of one host, at the end of the time range. */
export function hostTables(host: string) {
  const of = selector(host);
  const byMount = "sum by (system_filesystem_mountpoint, system_device, system_filesystem_type)";
  const byProcess = "sum by (process_executable_name, process_pid)";
  return {
    fileSystemUsed: `${byMount} (system_filesystem_usage_bytes{${of}, system_filesystem_state="used"})`,
    fileSystemSize: `${byMount} (system_filesystem_usage_bytes{${of}, system_filesystem_state=~"used|free"})`,
    processCpu: `topk(10, ${byProcess} (rate(process_cpu_time_seconds_total{${of}}[5m])))`,
    processMemory: `${byProcess} (process_memory_usage_bytes{${of}})`,
  };
}
