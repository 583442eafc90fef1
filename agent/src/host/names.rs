//! What is measured: every metric with its name, unit, meaning, labels and source. docs/host-metrics.md is this table;
//! a test holds them together.

use telemetry::otlp::NumberKind::{self, Counter, Gauge, UpDown};

/// A metric of the host.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) kind: NumberKind,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the documentation"))]
    pub(super) labels: &'static [&'static str],
    /// Where the numbers stand.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the documentation"))]
    pub(super) source: &'static str,
    pub(super) help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident = $name:literal, $unit:literal, $kind:ident, [$($label:literal),*], $source:literal, $help:literal;)*) => {
        $(pub(super) const $constant: Metric = Metric {
            name: $name, unit: $unit, kind: $kind, labels: &[$($label),*], source: $source, help: $help,
        };)*
        /// All of them, in the documentation's order.
        #[cfg(test)]
        pub(super) const ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    CPU_TIME = "system.cpu.time", "s", Counter, ["cpu", "cpu.mode"], "/proc/stat", "Seconds that each logical CPU spent in each mode";
    CPU_COUNT = "system.cpu.logical.count", "{cpu}", UpDown, [], "/proc/stat", "Logical CPUs that are online";
    LOAD_1M = "system.cpu.load_average.1m", "{thread}", Gauge, [], "/proc/loadavg", "Threads that run or wait, averaged over 1 minute";
    LOAD_5M = "system.cpu.load_average.5m", "{thread}", Gauge, [], "/proc/loadavg", "Threads that run or wait, averaged over 5 minutes";
    LOAD_15M = "system.cpu.load_average.15m", "{thread}", Gauge, [], "/proc/loadavg", "Threads that run or wait, averaged over 15 minutes";
    UPTIME = "system.uptime", "s", Gauge, [], "/proc/uptime", "Seconds since the host was started";
    MEMORY_USAGE = "system.memory.usage", "By", UpDown, ["system.memory.state"], "/proc/meminfo", "Memory by state; the states add up to the limit";
    MEMORY_LIMIT = "system.memory.limit", "By", UpDown, [], "/proc/meminfo", "Memory that the host has";
    MEMORY_AVAILABLE = "system.linux.memory.available", "By", UpDown, [], "/proc/meminfo", "Memory that programs can get without swapping, as the kernel estimates";
    PAGING_USAGE = "system.paging.usage", "By", UpDown, ["system.paging.state"], "/proc/meminfo", "Swap by state";
    PAGING_FAULTS = "system.paging.faults", "{fault}", Counter, ["system.paging.type"], "/proc/vmstat", "Page faults; major ones read from a disk";
    PAGING_OPERATIONS = "system.paging.operations", "{operation}", Counter, ["system.paging.direction", "system.paging.type"], "/proc/vmstat", "Pages swapped in and out";
    FILESYSTEM_USAGE = "system.filesystem.usage", "By", UpDown, ["system.device", "system.filesystem.mountpoint", "system.filesystem.state", "system.filesystem.type"], "statvfs", "Room of file systems by state; reserved is for root only";
    FILESYSTEM_LIMIT = "system.filesystem.limit", "By", UpDown, ["system.device", "system.filesystem.mountpoint", "system.filesystem.type"], "statvfs", "Size of file systems";
    DISK_IO = "system.disk.io", "By", Counter, ["disk.io.direction", "system.device"], "/proc/diskstats", "Bytes read from and written to disks";
    DISK_OPERATIONS = "system.disk.operations", "{operation}", Counter, ["disk.io.direction", "system.device"], "/proc/diskstats", "Operations that disks have completed";
    DISK_OPERATION_TIME = "system.disk.operation_time", "s", Counter, ["disk.io.direction", "system.device"], "/proc/diskstats", "Seconds that all operations took together";
    DISK_IO_TIME = "system.disk.io_time", "s", Counter, ["system.device"], "/proc/diskstats", "Seconds in which a disk had something to do";
    DISK_MERGED = "system.disk.merged", "{operation}", Counter, ["disk.io.direction", "system.device"], "/proc/diskstats", "Operations that became one with a neighbour";
    NETWORK_IO = "system.network.io", "By", Counter, ["network.interface.name", "network.io.direction"], "/proc/net/dev", "Bytes received and sent";
    NETWORK_PACKETS = "system.network.packet.count", "{packet}", Counter, ["network.interface.name", "network.io.direction"], "/proc/net/dev", "Packets received and sent";
    NETWORK_DROPPED = "system.network.packet.dropped", "{packet}", Counter, ["network.interface.name", "network.io.direction"], "/proc/net/dev", "Packets dropped although nothing was wrong with them";
    NETWORK_ERRORS = "system.network.errors", "{error}", Counter, ["network.interface.name", "network.io.direction"], "/proc/net/dev", "Packets that could not be received or sent";
    CONNECTIONS = "system.network.connection.count", "{connection}", UpDown, ["network.connection.state", "network.transport"], "/proc/net/tcp, tcp6", "TCP connections by state";
    PROCESS_COUNT = "system.process.count", "{process}", UpDown, ["process.state"], "/proc/*/stat", "Processes by state";
    PROCESS_CREATED = "system.process.created", "{process}", Counter, [], "/proc/stat", "Processes and threads that were started";
    PROCESS_CPU = "process.cpu.time", "s", Counter, ["cpu.mode", "process.executable.name"], "/proc/*/stat", "Seconds of CPU that processes of a name used since they are watched";
    PROCESS_MEMORY = "process.memory.usage", "By", UpDown, ["process.executable.name"], "/proc/*/stat", "Resident memory of processes of a name; shared pages count in each";
    PROCESS_IO = "process.disk.io", "By", Counter, ["disk.io.direction", "process.executable.name"], "/proc/*/io", "Bytes that processes of a name caused to be read and written since they are watched";
    PROCESS_THREADS = "process.thread.count", "{thread}", UpDown, ["process.executable.name"], "/proc/*/stat", "Threads of processes of a name";
    PROCESS_INSTANCES = "narrows.host.process.instances", "{process}", UpDown, ["process.executable.name"], "/proc/*/stat", "Processes of a name";
    CONTEXT_SWITCHES = "narrows.host.context_switches", "{switch}", Counter, [], "/proc/stat", "Times that a CPU turned to another thread";
    INTERRUPTS = "narrows.host.interrupts", "{interrupt}", Counter, [], "/proc/stat", "Interrupts that were served";
    THREADS = "narrows.host.threads", "{thread}", UpDown, ["state"], "/proc/stat", "Threads that run or could, and that wait for a disk";
    OPEN_FILES = "narrows.host.open_files", "{file}", UpDown, [], "/proc/sys/fs/file-nr", "Open files of all processes";
    OPEN_FILES_LIMIT = "narrows.host.open_files.limit", "{file}", UpDown, [], "/proc/sys/fs/file-nr", "Files that all processes may have open";
    INODES = "narrows.host.filesystem.inodes", "{inode}", UpDown, ["system.device", "system.filesystem.mountpoint", "system.filesystem.state", "system.filesystem.type"], "statvfs", "Inodes of file systems by state";
    DISK_WEIGHTED = "narrows.host.disk.weighted_io_time", "s", Counter, ["system.device"], "/proc/diskstats", "Seconds that operations were under way, each counted; its rate is the length of the queue";
    DISK_PENDING = "narrows.host.disk.pending_operations", "{operation}", UpDown, ["system.device"], "/proc/diskstats", "Operations that are under way";
    TCP_RETRANSMITS = "narrows.host.tcp.retransmits", "{segment}", Counter, [], "/proc/net/snmp", "TCP segments that were sent again";
    TCP_SEGMENTS = "narrows.host.tcp.segments", "{segment}", Counter, ["network.io.direction"], "/proc/net/snmp", "TCP segments received and sent";
    TCP_RESETS = "narrows.host.tcp.resets", "{segment}", Counter, [], "/proc/net/snmp", "TCP segments sent that end a connection by force";
    TCP_LISTEN_OVERFLOWS = "narrows.host.tcp.listen_overflows", "{connection}", Counter, [], "/proc/net/netstat", "Connections refused because the program did not accept them in time";
    UDP_ERRORS = "narrows.host.udp.errors", "{datagram}", Counter, ["kind"], "/proc/net/snmp", "UDP datagrams that were lost here, by why";
    PRESSURE = "narrows.host.pressure.stalled", "s", Counter, ["kind", "resource"], "/proc/pressure", "Seconds in which some or all (full) tasks waited for a resource";
    CGROUP_CPU = "narrows.host.cgroup.cpu.time", "s", Counter, ["cgroup"], "cpu.stat", "Seconds of CPU that a control group used";
    CGROUP_PERIODS = "narrows.host.cgroup.cpu.periods", "{period}", Counter, ["cgroup"], "cpu.stat", "Periods in which a control group with a limit ran";
    CGROUP_THROTTLED = "narrows.host.cgroup.cpu.throttled_periods", "{period}", Counter, ["cgroup"], "cpu.stat", "Periods in which a control group ran into its limit";
    CGROUP_THROTTLED_TIME = "narrows.host.cgroup.cpu.throttled", "s", Counter, ["cgroup"], "cpu.stat", "Seconds that a control group had to wait because of its limit";
    CGROUP_MEMORY = "narrows.host.cgroup.memory.usage", "By", UpDown, ["cgroup"], "memory.current", "Memory of a control group, its page cache included";
    CGROUP_MEMORY_LIMIT = "narrows.host.cgroup.memory.limit", "By", UpDown, ["cgroup"], "memory.max", "Memory that a control group may have";
    CGROUP_MEMORY_EVENTS = "narrows.host.cgroup.memory.events", "{event}", Counter, ["cgroup", "event"], "memory.events", "Times that a control group met a limit (high, max, oom) or lost a process (oom_kill)";
    TEMPERATURE = "narrows.host.temperature", "Cel", Gauge, ["chip", "sensor"], "/sys/class/hwmon", "Temperatures";
}
