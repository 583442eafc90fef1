//! Looks at a host of texts and at this one; names as the collector makes them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use telemetry::otlp::NumberKind;
use telemetry::samples::MetricKind;
use tokio::sync::watch;

use super::look::Host;
use super::names::ALL;
use crate::config::{HostInput, Scalar};
use crate::metrics::Metrics;
use crate::report::seen::{TIME_NS, prometheus, rows, seen};

/// A host as the kernel would tell of it.
const FILES: [(&str, &str); 37] = [
    (
        "proc/stat",
        "cpu  300 20 50 4000 30 0 4 2 0 0\ncpu0 100 10 20 2000 10 0 2 1 0 0\ncpu1 200 10 30 2000 20 0 2 1 50 0\n\
         intr 3256 1 2\nctxt 1496\nbtime 1795628153\nprocesses 909\nprocs_running 11\nprocs_blocked 1\nsoftirq 1 2\n",
    ),
    ("proc/loadavg", "12.34 16.30 12.07 9/188 862\n"),
    ("proc/uptime", "24981.56 11064.44\n"),
    ("proc/sys/fs/file-nr", "1206\t0\t2466183\n"),
    (
        "proc/meminfo",
        "MemTotal: 1000 kB\nMemFree: 300 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\nCached: 200 kB\n\
         SwapTotal: 64 kB\nSwapFree: 60 kB\nSReclaimable: 50 kB\n",
    ),
    ("proc/vmstat", "pswpin 3\npswpout 4\npgfault 1000\npgmajfault 10\n"),
    ("proc/pressure/cpu", "some avg10=1.22 avg60=0.50 avg300=0.10 total=1500000\n"),
    (
        "proc/pressure/memory",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0 avg60=0 avg300=0 total=4\n",
    ),
    (
        "proc/pressure/io",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0 avg60=0 avg300=0 total=4\n",
    ),
    (
        "proc/diskstats",
        " 254 0 vda 10 1 16 3000 20 2 32 4000 3 5000 6000 0 0 0 0\n 254 1 vda1 10 1 16 3000 20 2 32 4000 3 5000 6000\n",
    ),
    ("sys/block/vda/dev", "254:0\n"),
    ("proc/filesystems", "nodev\tproc\n\text4\n"),
    ("proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n27 1 254:0 / / rw - ext4 /dev/vda rw\n"),
    (
        "proc/net/dev",
        "Inter-| Receive | Transmit\n face |bytes packets\n  eth0: 100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0\n",
    ),
    (
        "proc/net/snmp",
        "Tcp: InSegs OutSegs RetransSegs OutRsts\nTcp: 9 8 7 6\n\
         Udp: InDatagrams NoPorts InErrors RcvbufErrors SndbufErrors InCsumErrors\nUdp: 1 2 3 4 5 6\n",
    ),
    ("proc/net/netstat", "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 5\n"),
    ("proc/net/tcp", "  sl  local_address rem_address   st\n   0: 0100007F:9F9B 00000000:0000 0A 0:0\n"),
    ("proc/net/tcp6", "  sl  local_address rem_address   st\n   0: 0:9F9B 0:0000 0A 0:0\n"),
    ("proc/1/stat", "1 (init) S 0 1 1 0 -1 256 1 0 0 0 7 5 0 0 20 0 3 0 1 3133440 10 184467 1\n"),
    ("proc/1/io", "rchar: 9\nread_bytes: 100\nwrite_bytes: 200\n"),
    ("proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 1 0 0 20 0 1 0 2 0 0 184467 1\n"),
    ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
    ("sys/fs/cgroup/cpu.stat", "usage_usec 9000000\n"),
    (
        "sys/fs/cgroup/system.slice/cpu.stat",
        "usage_usec 8000000\nuser_usec 1\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
    ),
    ("sys/fs/cgroup/system.slice/memory.current", "4096\n"),
    ("sys/fs/cgroup/system.slice/memory.max", "max\n"),
    ("sys/fs/cgroup/system.slice/memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n"),
    (
        "sys/fs/cgroup/system.slice/web.service/cpu.stat",
        "usage_usec 2500000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 1500000\n",
    ),
    ("sys/fs/cgroup/system.slice/web.service/memory.current", "2048\n"),
    ("sys/fs/cgroup/system.slice/web.service/memory.max", "8192\n"),
    ("sys/fs/cgroup/system.slice/web.service/deeper/cpu.stat", "usage_usec 1\n"),
    ("sys/fs/cgroup/system.slice/boot.mount/cpu.stat", "usage_usec 1\n"),
    ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
    ("sys/class/hwmon/hwmon0/temp1_input", "47500\n"),
    ("sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n"),
    ("sys/class/hwmon/hwmon0/temp2_input", "-274000\n"),
    ("sys/class/hwmon/hwmon0/fan1_input", "900\n"),
];

fn host(root: &Path, processes: usize) -> Host {
    let input = HostInput { root: None, interval: Duration::from_secs(10), processes };
    let resource = [("host.name".to_owned(), Scalar::Text("web-1".to_owned()))];
    let metrics = Metrics::new();
    metrics.drop_records("queue_full", 3);
    metrics.file_position.with_label_values(&["/a"]).set(7);
    metrics.file_lag.with_label_values(&["/a"]).set(7);
    metrics.file_lag.with_label_values(&["/b"]).set(8);
    Host::new(root, &input, &resource, Arc::new(metrics))
}

fn host_of_texts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn everything_that_is_promised_is_sent() {
    let folder = host_of_texts();
    let seen = seen(&host(folder.path(), 10).look(TIME_NS));
    for metric in ALL {
        let (name, labels) = prometheus(metric);
        assert_eq!(seen.labels.get(&name), Some(&labels), "{name}");
        let kind = if metric.kind == NumberKind::Counter { MetricKind::Counter } else { MetricKind::Gauge };
        assert_eq!(seen.kinds.get(&name), Some(&kind), "{name}");
    }
    let known: BTreeSet<String> = ALL.iter().map(|metric| prometheus(metric).0).collect();
    let own = |name: &str| name.starts_with("narrows_agent_") || name.starts_with("process_");
    let strange: Vec<_> = seen.labels.keys().filter(|name| !known.contains(*name) && !own(name)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert_eq!(seen.identities.iter().map(String::as_str).collect::<Vec<_>>(), ["agent web-1 web-1"]);
}

#[test]
fn numbers_are_those_of_the_kernel() {
    let folder = host_of_texts();
    let seen = seen(&host(folder.path(), 10).look(TIME_NS));
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let cases = [
        ("system_cpu_time_seconds_total{cpu=0,cpu_mode=user}", 100.0 / ticks),
        ("system_cpu_time_seconds_total{cpu=1,cpu_mode=user}", 150.0 / ticks),
        ("system_cpu_time_seconds_total{cpu=1,cpu_mode=guest}", 50.0 / ticks),
        ("system_cpu_time_seconds_total{cpu=0,cpu_mode=steal}", 1.0 / ticks),
        ("system_cpu_logical_count{}", 2.0),
        ("system_cpu_load_average_5m{}", 16.3),
        ("system_uptime_seconds{}", 24_981.56),
        ("system_memory_usage_bytes{system_memory_state=used}", 400.0 * 1024.0),
        ("system_memory_usage_bytes{system_memory_state=cached}", 250.0 * 1024.0),
        ("system_paging_usage_bytes{system_paging_state=used}", 4096.0),
        ("system_paging_faults_total{system_paging_type=minor}", 990.0),
        ("system_disk_io_bytes_total{disk_io_direction=write,system_device=vda}", 32.0 * 512.0),
        ("system_disk_operation_time_seconds_total{disk_io_direction=read,system_device=vda}", 3.0),
        ("system_disk_io_time_seconds_total{system_device=vda}", 5.0),
        ("narrows_host_disk_weighted_io_time_seconds_total{system_device=vda}", 6.0),
        ("narrows_host_disk_pending_operations{system_device=vda}", 3.0),
        ("system_network_io_bytes_total{network_interface_name=eth0,network_io_direction=transmit}", 500.0),
        (
            "system_network_packet_dropped_total{network_interface_name=eth0,network_io_direction=receive}",
            4.0,
        ),
        ("system_network_errors_total{network_interface_name=eth0,network_io_direction=transmit}", 7.0),
        ("system_network_connection_count{network_connection_state=listen,network_transport=tcp}", 2.0),
        ("narrows_host_tcp_retransmits_total{}", 7.0),
        ("narrows_host_udp_errors_total{kind=no_port}", 2.0),
        ("narrows_host_pressure_stalled_seconds_total{kind=some,resource=cpu}", 1.5),
        ("narrows_host_open_files_limit{}", 2_466_183.0),
        ("narrows_host_cgroup_cpu_time_seconds_total{cgroup=system.slice}", 8.0),
        ("narrows_host_cgroup_cpu_throttled_seconds_total{cgroup=system.slice/web.service}", 1.5),
        ("narrows_host_cgroup_memory_limit_bytes{cgroup=system.slice/web.service}", 8192.0),
        ("narrows_host_cgroup_memory_events_total{cgroup=system.slice,event=oom_kill}", 4.0),
        ("narrows_host_temperature_celsius{chip=coretemp,sensor=Package id 0}", 47.5),
        ("system_process_count{process_state=sleeping}", 2.0),
        (
            "process_memory_usage_bytes{process_executable_name=init}",
            10.0 * rustix::param::page_size() as f64,
        ),
        ("narrows_agent_records_dropped_total{reason=queue_full}", 3.0),
        ("narrows_agent_file_lag_bytes{}", 15.0),
    ];
    for (series, value) in cases {
        assert_eq!(seen.series.get(series), Some(&value), "{series}");
    }
    let left_out = ["vda1", "deeper", "boot.mount", "temp2", "file_position", "cpu=,"];
    for part in left_out {
        assert!(!seen.series.keys().any(|series| series.contains(part)), "{part}");
    }
}

#[test]
fn the_documentation_has_the_same_list() {
    let document = include_str!("../../../docs/host-metrics.md");
    let rows = rows(ALL);
    let documented: Vec<&str> = document
        .lines()
        .filter(|line| {
            line.starts_with("| `system_")
                || line.starts_with("| `process_")
                || line.starts_with("| `narrows_host_")
        })
        .collect();
    assert_eq!(documented, rows, "the table should be:\n{}", rows.join("\n"));
}

#[test]
fn a_host_that_tells_nothing_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let seen = seen(&host(folder.path(), 10).look(TIME_NS));
    let strange: Vec<_> = seen
        .series
        .keys()
        .filter(|series| series.starts_with("system_") || series.starts_with("narrows_host_"))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(seen.series.keys().any(|series| series.starts_with("narrows_agent_queue_bytes")));
}

#[test]
fn garbage_is_left_out() {
    let folder = host_of_texts();
    for (path, _) in FILES {
        for garbage in [
            "\u{0}\u{1} : ( ) \n x",
            "cpu0 99999999999999999999999 x\nMemTotal: -1 kB\n",
            "some total=\n: 1 2 3\nTcp: a\n",
        ] {
            std::fs::write(folder.path().join(path), garbage).unwrap();
            let _whatever_it_is = seen(&host(folder.path(), 10).look(TIME_NS));
        }
    }
}

#[test]
fn this_hosts_cpu_seconds_are_those_of_the_kernel() {
    let idle_ticks = || {
        let text = std::fs::read_to_string("/proc/stat").unwrap();
        let line = text.lines().find(|line| line.starts_with("cpu0 ")).unwrap().to_owned();
        let numbers: Vec<u64> = line.split(' ').skip(1).map(|word| word.parse().unwrap()).collect();
        (numbers[0] - numbers[8], numbers[2])
    };
    let before = idle_ticks();
    let seen = seen(&host(Path::new("/"), 10).look(TIME_NS));
    let after = idle_ticks();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    for (mode, low, high) in [("user", before.0, after.0), ("system", before.1, after.1)] {
        let series = format!("system_cpu_time_seconds_total{{cpu=0,cpu_mode={mode}}}");
        let told = seen.series[&series] * ticks;
        assert!((low as f64 - 0.5..=high as f64 + 0.5).contains(&told), "{series}: {low} {told} {high}");
    }
    let states = ["used", "free", "buffers", "cached"];
    let memory =
        states.map(|state| seen.series[&format!("system_memory_usage_bytes{{system_memory_state={state}}}")]);
    assert_eq!(memory.iter().sum::<f64>(), seen.series["system_memory_limit_bytes{}"]);
    let root = seen.series.keys().any(|series| series.contains("system_filesystem_mountpoint=/,"));
    assert!(root, "{:?}", seen.series.keys());
}

#[test]
fn a_large_host_is_cut_into_records_that_fit() {
    let folder = host_of_texts();
    let cpus = (0..1024).map(|cpu| format!("cpu{cpu} 1 2 3 4 5 6 7 8 9 1\n")).collect::<String>();
    std::fs::write(folder.path().join("proc/stat"), format!("cpu 1 2\n{cpus}ctxt 1\n")).unwrap();
    let parcels = host(folder.path(), 10).look(TIME_NS);
    assert!(parcels.len() >= 2, "{}", parcels.len());
    assert!(parcels.iter().all(|parcel| parcel.payload.len() <= crate::queue::MAX_PARCEL_BYTES));
    let seen = seen(&parcels);
    assert!(seen.series.contains_key("system_cpu_time_seconds_total{cpu=1023,cpu_mode=steal}"));
    assert_eq!(seen.series["system_cpu_logical_count{}"], 1024.0);
}

#[test]
fn what_is_too_many_is_left_out_and_counted() {
    let folder = host_of_texts();
    let line = |at: usize| format!("eth{at}: 100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0\n");
    std::fs::write(folder.path().join("proc/net/dev"), (0..70).map(line).collect::<String>()).unwrap();
    for at in 0..60 {
        let group = folder.path().join(format!("sys/fs/cgroup/system.slice/s{at}.service"));
        std::fs::create_dir_all(&group).unwrap();
        std::fs::write(group.join("cpu.stat"), format!("usage_usec {at}\n")).unwrap();
    }
    let mut host = host(folder.path(), 10);
    let first = seen(&host.look(TIME_NS));
    let of = |prefix: &str| first.series.keys().filter(|series| series.starts_with(prefix)).count();
    assert_eq!(of("system_network_io_bytes_total{"), 2 * 64);
    assert_eq!(of("narrows_host_cgroup_cpu_time_seconds_total{"), 50);
    assert!(!first.series.keys().any(|series| series.contains("/s0.service")), "it used least");
    let second = seen(&host.look(TIME_NS));
    for what in ["network interfaces", "control groups"] {
        assert_eq!(second.series[&format!("narrows_agent_host_looks_cut_total{{what={what}}}")], 1.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_are_in_the_queue_or_counted() {
    let (shared, queue) = crate::feed::tests::shared(64 << 20).await;
    let input = HostInput { root: None, interval: Duration::from_secs(1), processes: 1 };
    let (stop, stopping) = watch::channel(false);
    let metrics = shared.metrics.clone();
    let task = tokio::spawn(super::input::run(input, shared, stopping));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while queue.pending() == 0 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    task.await.unwrap().unwrap();
    assert!(metrics.enqueued.with_label_values(&["host"]).get() > 50);
    assert_eq!(metrics.host_skipped.with_label_values(&["queue_full"]).get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_finds_no_room_is_skipped_and_counted() {
    let (shared, queue) = crate::feed::tests::shared(8 << 10).await;
    let input = HostInput { root: None, interval: Duration::from_secs(1), processes: 1 };
    let (stop, stopping) = watch::channel(false);
    let metrics = shared.metrics.clone();
    let task = tokio::spawn(super::input::run(input, shared, stopping));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while metrics.host_skipped.with_label_values(&["queue_full"]).get() == 0 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    task.await.unwrap().unwrap();
    assert_eq!((queue.pending(), metrics.enqueued.with_label_values(&["host"]).get()), (0, 0));
}
