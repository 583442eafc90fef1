//! Disks and the file systems on them.

use std::collections::HashSet;
use std::path::Path;

use super::names::*;
use super::read::Reader;
use crate::report::Report;

/// The kernel counts in these, whatever the disk's sectors are.
const SECTOR_BYTES: u64 = 512;
const MAX_DISKS: usize = 64;
const MAX_FILE_SYSTEMS: usize = 64;
/// A host with containers has thousands of mounts of what is no disk.
const MAX_MOUNTS: usize = 8192;
/// Images that are full by nature.
const IMAGES: [&str; 4] = ["squashfs", "erofs", "iso9660", "udf"];
/// On disks, although the kernel says that they need none.
const POOLS: [&str; 2] = ["zfs", "bcachefs"];

/// A line of /proc/diskstats (kernel.org, admin-guide/iostats): a name and its counters.
struct Disk<'a> {
    name: &'a str,
    counts: [u64; 11],
}

pub(super) fn report_disks(reader: &mut Reader, report: &mut Report<'_>) {
    let whole = whole_disks(&reader.path("sys/block"));
    let Some(text) = reader.text("proc/diskstats") else { return };
    let mut disks: Vec<Disk<'_>> =
        text.lines().filter_map(disk).filter(|disk| disk.is_used(&whole)).collect();
    let count = disks.len();
    disks.truncate(MAX_DISKS);
    let ms = |ms: u64| ms as f64 / 1000.0;
    let both = [("read", 0), ("write", 4)];
    report.metric(&DISK_IO);
    each(&disks, both, |disk, at, labels| report.int(disk.counts[at + 2] * SECTOR_BYTES, labels));
    report.metric(&DISK_OPERATIONS);
    each(&disks, both, |disk, at, labels| report.int(disk.counts[at], labels));
    report.metric(&DISK_MERGED);
    each(&disks, both, |disk, at, labels| report.int(disk.counts[at + 1], labels));
    report.metric(&DISK_OPERATION_TIME);
    each(&disks, both, |disk, at, labels| report.double(ms(disk.counts[at + 3]), labels));
    report.metric(&DISK_IO_TIME);
    disks.iter().for_each(|disk| report.double(ms(disk.counts[9]), &[("system.device", disk.name)]));
    report.metric(&DISK_WEIGHTED);
    disks.iter().for_each(|disk| report.double(ms(disk.counts[10]), &[("system.device", disk.name)]));
    report.metric(&DISK_PENDING);
    disks.iter().for_each(|disk| report.int(disk.counts[8], &[("system.device", disk.name)]));
    if count > MAX_DISKS {
        reader.say_left_out("disks", MAX_DISKS);
    }
}

/// A point per disk and direction.
fn each(
    disks: &[Disk<'_>],
    both: [(&str, usize); 2],
    mut point: impl FnMut(&Disk<'_>, usize, &[(&str, &str)]),
) {
    for disk in disks {
        for (direction, at) in both {
            point(disk, at, &[("disk.io.direction", direction), ("system.device", disk.name)]);
        }
    }
}

fn disk(line: &str) -> Option<Disk<'_>> {
    let mut words = line.split_ascii_whitespace().skip(2);
    let name = words.next()?;
    let mut counts = [0; 11];
    for count in &mut counts {
        *count = words.next()?.parse().ok()?;
    }
    Some(Disk { name, counts })
}

impl Disk<'_> {
    /// No partition, and something was ever read or written.
    fn is_used(&self, whole: &Option<HashSet<String>>) -> bool {
        let is_whole = whole.as_ref().is_none_or(|whole| whole.contains(self.name));
        let is_image = self.name.starts_with("loop") || self.name.starts_with("ram");
        is_whole && !is_image && self.counts[0] + self.counts[4] > 0
    }
}

/// Disks that are no partitions; `None` where the kernel does not say.
fn whole_disks(directory: &Path) -> Option<HashSet<String>> {
    let entries = std::fs::read_dir(directory).ok()?;
    // A driver's name may have a stroke, which is written as an exclamation mark here.
    Some(entries.flatten().map(|entry| entry.file_name().to_string_lossy().replace('!', "/")).collect())
}

/// A mount of a file system on a disk.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// What the kernel calls the disk.
    number: String,
    /// Where the host has it.
    point: String,
    /// Where it is for us.
    path: String,
    kind: String,
    device: String,
}

/// Room of a file system by state.
#[derive(Debug, PartialEq, Eq)]
struct Room {
    used: u64,
    free: u64,
    reserved: u64,
}

impl Room {
    fn of(total: u64, free: u64, available: u64) -> Self {
        Self { used: total.saturating_sub(free), free: available, reserved: free.saturating_sub(available) }
    }

    fn states(&self) -> [(&'static str, u64); 3] {
        [("used", self.used), ("free", self.free), ("reserved", self.reserved)]
    }
}

pub(super) fn report_file_systems(reader: &mut Reader, report: &mut Report<'_>) {
    let Some(kinds) = reader.text("proc/filesystems").map(kinds_on_disks) else { return };
    let below = reader.below().map(ToOwned::to_owned);
    let Some(mounts) = reader.text("proc/self/mountinfo").map(|text| mounts(text, &kinds, below.as_deref()))
    else {
        return;
    };
    let mut sizes = Vec::new();
    for mount in mounts.iter().take(MAX_FILE_SYSTEMS) {
        match rustix::fs::statvfs(mount.path.as_str()) {
            // One of no size holds nothing that could fill it.
            Ok(stat) if stat.f_blocks > 0 => {
                let unit = stat.f_frsize.max(1);
                let bytes = Room::of(stat.f_blocks, stat.f_bfree, stat.f_bavail);
                sizes.push((
                    mount,
                    unit,
                    bytes,
                    Room::of(stat.f_files, stat.f_ffree, stat.f_favail),
                    stat.f_blocks,
                ));
            }
            Ok(_) => {}
            Err(error) => reader.say("room of a file system", &error.into()),
        }
    }
    report.metric(&FILESYSTEM_USAGE);
    for (mount, unit, bytes, _, _) in &sizes {
        for (state, blocks) in bytes.states() {
            report.int(blocks.saturating_mul(*unit), &mount.labels(state));
        }
    }
    report.metric(&FILESYSTEM_LIMIT);
    for (mount, unit, _, _, blocks) in &sizes {
        let labels = mount.labels("");
        report.int(blocks.saturating_mul(*unit), &labels[..3]);
    }
    report.metric(&INODES);
    // Some file systems make inodes as they need them, and say 0.
    for (mount, _, _, inodes, _) in sizes.iter().filter(|(_, _, _, inodes, _)| inodes.used + inodes.free > 0)
    {
        for (state, count) in inodes.states().into_iter().take(2) {
            report.int(count, &mount.labels(state));
        }
    }
    if mounts.len() > MAX_FILE_SYSTEMS {
        reader.say_left_out("file systems", MAX_FILE_SYSTEMS);
    }
}

impl Mount {
    fn labels<'a>(&'a self, state: &'a str) -> [(&'static str, &'a str); 4] {
        [
            ("system.device", &self.device),
            ("system.filesystem.mountpoint", &self.point),
            ("system.filesystem.type", &self.kind),
            ("system.filesystem.state", state),
        ]
    }
}

/// Those of /proc/filesystems that need a disk, but for images.
fn kinds_on_disks(text: &str) -> HashSet<String> {
    let real = text.lines().filter(|line| !line.starts_with("nodev"));
    let real = real.map(str::trim).filter(|kind| !kind.is_empty() && !IMAGES.contains(kind));
    real.chain(POOLS).map(str::to_owned).collect()
}

/// One mount per disk, that with the shortest path: the others are the same file system bound elsewhere.
/// The root counts whatever it is: in a container it is an overlay.
///
/// Where the host is mounted `below` a directory, only what is there counts, under the name that the host has for it.
fn mounts(text: &str, kinds: &HashSet<String>, below: Option<&Path>) -> Vec<Mount> {
    let is_real =
        |mount: &Mount| kinds.contains(&mount.kind) || (mount.point == "/" && mount.kind == "overlay");
    let named = |mount: Mount| match below {
        None => Some(mount),
        Some(below) => {
            let point = Path::new("/").join(Path::new(&mount.path).strip_prefix(below).ok()?);
            Some(Mount { point: point.to_string_lossy().into_owned(), ..mount })
        }
    };
    let all = text.lines().take(MAX_MOUNTS).filter_map(mount).filter_map(named);
    let mut mounts: Vec<Mount> = all.filter(is_real).collect();
    mounts.sort_by(|a, b| (a.point.len(), &a.point).cmp(&(b.point.len(), &b.point)));
    let (mut disks, mut points) = (HashSet::new(), HashSet::new());
    mounts.retain(|mount| {
        // Subvolumes of one pool have numbers of their own.
        let is_new = disks.insert(mount.number.clone());
        is_new && points.insert(mount.point.clone())
    });
    mounts
}

/// `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw` (proc_pid_mountinfo(5)).
fn mount(line: &str) -> Option<Mount> {
    let (before, behind) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(2);
    let (number, point) = (before.next()?, before.nth(1)?);
    let mut behind = behind.split(' ');
    let (kind, device) = (behind.next()?, behind.next()?);
    Some(Mount {
        number: number.to_owned(),
        point: plain(point),
        path: plain(point),
        kind: kind.to_owned(),
        device: plain(device),
    })
}

/// Blanks and backslashes are written in octal.
fn plain(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..3).filter(|_| *first == b'\\');
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        out.push(code.unwrap_or(*first));
        rest = if code.is_some() { &behind[3..] } else { behind };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_are_those_on_disks_once_each() {
        let kinds = kinds_on_disks("nodev\tproc\nnodev\ttmpfs\n\text4\n\tsquashfs\nnodev\toverlay\n\txfs\n");
        let text = "\
            22 27 0:21 / /proc rw,relatime - proc proc rw\n\
            27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n\
            30 27 254:0 /var/lib /srv rw - ext4 /dev/vda rw\n\
            31 27 8:17 / /mnt/my\\040disk rw shared:3 master:1 - xfs /dev/sdb1 rw\n\
            32 27 7:1 / /snap/core ro - squashfs /dev/loop1 ro\n\
            33 27 0:40 / /tank rw - zfs tank/data rw\n\
            34 27 0:41 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n\
            not a mount\n";
        let found = mounts(text, &kinds, None);
        let found: Vec<_> =
            found.iter().map(|m| (m.point.as_str(), m.kind.as_str(), m.device.as_str())).collect();
        assert_eq!(
            found,
            [("/", "ext4", "/dev/vda"), ("/tank", "zfs", "tank/data"), ("/mnt/my disk", "xfs", "/dev/sdb1")]
        );
        let container = mounts("1 2 0:50 / / rw - overlay overlay rw\n", &kinds, None);
        assert_eq!(container.len(), 1, "{container:?}");
        let text = "\
            1 2 0:50 / / rw - overlay overlay rw\n\
            3 1 254:0 /x /etc/hosts rw - ext4 /dev/vda rw\n\
            4 1 254:0 /var/log /host/var/log ro - ext4 /dev/vda rw\n\
            5 1 8:17 / /hosts/mnt ro - xfs /dev/sdb1 rw\n";
        let found = mounts(text, &kinds, Some(Path::new("/host")));
        let found: Vec<_> = found.iter().map(|m| (m.point.as_str(), m.path.as_str())).collect();
        assert_eq!(found, [("/var/log", "/host/var/log")]);
        let whole = mounts("4 1 254:0 / /host ro - ext4 /dev/vda rw\n", &kinds, Some(Path::new("/host")));
        assert_eq!((whole[0].point.as_str(), whole[0].path.as_str()), ("/", "/host"));
        for (written, plainly) in [("a\\134b", "a\\b"), ("a\\9", "a\\9"), ("\\303\\266", "ö"), ("x\\", "x\\")]
        {
            assert_eq!(plain(written), plainly);
        }
    }

    #[test]
    fn room_is_used_free_and_reserved() {
        assert_eq!(Room::of(100, 30, 25), Room { used: 70, free: 25, reserved: 5 });
        assert_eq!(Room::of(1, 2, 3), Room { used: 0, free: 3, reserved: 0 });
    }

    #[test]
    fn disks_are_whole_and_used() {
        let line = " 254       0 vda 10 1 16 30 20 2 32 40 3 50 60 563 6 24 19 30 10";
        let vda = disk(line).expect("a disk");
        assert_eq!((vda.name, vda.counts), ("vda", [10, 1, 16, 30, 20, 2, 32, 40, 3, 50, 60]));
        let whole = Some(HashSet::from(["vda".to_owned()]));
        assert!(vda.is_used(&whole) && vda.is_used(&None));
        let partition = Disk { name: "vda1", ..vda };
        assert!(!partition.is_used(&whole));
        for line in ["7 0 loop0 1 0 1 0 1 0 0 0 0 0 0", "8 0 sda 0 0 0 0 0 0 0 0 0 0 0"] {
            assert!(!disk(line).expect(line).is_used(&None), "{line}");
        }
        for line in ["", "8 0 sda", "8 0 sda 1 2 3 x 5 6 7 8 9 10 11"] {
            assert!(disk(line).is_none(), "{line}");
        }
    }
}
