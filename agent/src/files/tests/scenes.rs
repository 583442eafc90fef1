//! One scene per way in which files behave.

use super::*;
use crate::files::position::{FileKey, Fingerprint, Mode, Place};

#[test]
fn lines_come_with_their_file_service_and_severity() {
    let mut rig = Rig::new("*.log");
    rig.append("checkout.2026.log", "ERROR boom\r\n\nplain\n");
    rig.second();
    assert_eq!(rig.bodies(), ["ERROR boom", "plain"]);
    let first = &rig.lines[0];
    assert_eq!(
        (first.file.as_str(), first.service.as_str(), first.severity),
        ("checkout.2026.log", "checkout", 17)
    );
    assert_eq!((rig.marks("empty"), rig.metrics.lines.get()), (1, 3));
}

#[test]
fn configured_names_and_attributes_win() {
    let mut rig = Rig::new("*.log");
    rig.input.service = Some("cart".to_owned());
    rig.input.attributes = vec![("canary".to_owned(), Scalar::Bool(true))];
    rig.append("a.log", "x\n");
    rig.second();
    assert_eq!(
        (rig.lines[0].service.as_str(), &rig.lines[0].marks[..]),
        ("cart", &["canary".to_owned()][..])
    );
}

#[test]
fn new_files_are_found_within_a_second() {
    let mut rig = Rig::new("**/*.log");
    rig.second();
    fs::create_dir_all(rig.path("a/b")).unwrap();
    rig.append("a/b/c.log", "one\n");
    rig.run(Duration::from_millis(1300));
    assert_eq!(rig.bodies(), ["one"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.second();
    rig.append("a.log", "two\n");
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", "four\n");
    rig.append("a.log.1", "three\nrest");
    rig.second();
    let mut bodies = rig.bodies();
    bodies.sort_unstable();
    assert_eq!(bodies, ["four", "one", "three", "two"]);
    assert_eq!(rig.cursors.len(), 2);
    rig.run(Duration::from_secs(70));
    let last = rig.lines.last().unwrap();
    assert_eq!((last.body.as_str(), &last.marks[..]), ("rest", &["log.partial".to_owned()][..]));
    assert_eq!(rig.cursors.len(), 1, "the renamed file was let go");
}

#[test]
fn a_renamed_file_that_still_matches_is_the_same_file() {
    let mut rig = Rig::new("a.log*");
    rig.append("a.log", "one\n");
    rig.second();
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", "two\n");
    rig.run(Duration::from_secs(70));
    rig.kill();
    rig.second();
    assert_eq!(rig.bodies(), ["one", "two"]);
}

#[test]
fn a_removed_file_is_read_to_its_end() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.second();
    rig.append("a.log", "two\nthree");
    fs::remove_file(rig.path("a.log")).unwrap();
    rig.run(Duration::from_secs(7));
    assert_eq!(rig.bodies(), ["one", "two", "three"]);
    assert!(rig.cursors.is_empty());
}

/// It is there, and may be readable again.
#[test]
fn a_file_that_cannot_be_read_is_tried_each_second() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.second();
    rig.append("a.log", "two\n");
    rig.spoil("a.log");
    for (seconds, tries) in [(8, 6..12), (892, 800..1000)] {
        rig.run(Duration::from_secs(seconds));
        assert!(tries.contains(&rig.errors("read")), "{seconds}: {}", rig.errors("read"));
    }
    assert_eq!((rig.errors("give_up"), rig.cursors.len()), (0, 1));
}

#[test]
fn a_removed_file_that_cannot_be_read_is_given_up() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.second();
    rig.append("a.log", "two\n");
    rig.spoil("a.log");
    fs::remove_file(rig.path("a.log")).unwrap();
    rig.run(Duration::from_secs(300));
    assert_eq!((rig.errors("give_up"), rig.cursors.len()), (0, 1), "it is tried for ten minutes");
    let tries = rig.errors("read");
    assert!((5..20).contains(&tries), "{tries}");
    rig.run(Duration::from_secs(400));
    assert_eq!((rig.errors("give_up"), rig.cursors.len()), (1, 0));
    let tries = rig.errors("read");
    rig.append("b.log", "three\n");
    rig.run(Duration::from_secs(300));
    assert_eq!((rig.errors("give_up"), rig.errors("read")), (1, tries));
    assert_eq!(rig.bodies(), ["one", "three"]);
}

#[test]
fn a_file_made_anew_under_the_same_inode_is_a_new_file() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\ntwo\n");
    rig.second();
    // The agent is down: nothing keeps the inode from being used again, which is what writing in place does to it.
    rig.kill();
    write(&rig.path("a.log"), b"three\nfour\nfive\n");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "two", "three", "four", "five"]);
}

#[test]
fn copy_and_truncate_starts_again() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\ntwo\n");
    rig.second();
    fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    OpenOptions::new().write(true).open(rig.path("a.log")).unwrap().set_len(0).unwrap();
    rig.append("a.log", "x\n");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "two", "x"]);
    assert_eq!(rig.metrics.truncations.get(), 1);
}

#[test]
fn a_file_replaced_by_a_longer_one_between_two_looks_starts_again() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.second();
    write(&rig.path("a.log"), b"alpha\nbeta\ngamma\n");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "alpha", "beta", "gamma"]);
}

#[test]
fn a_file_replaced_by_one_of_the_same_length_starts_again() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.second();
    std::thread::sleep(Duration::from_millis(20));
    write(&rig.path("a.log"), b"two\n");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "two"]);
}

#[test]
fn a_partial_line_waits_for_its_newline() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\ntw");
    rig.run(Duration::from_secs(5));
    assert_eq!(rig.bodies(), ["one"]);
    rig.kill();
    rig.append("a.log", "o");
    rig.second();
    rig.append("a.log", "\n");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "two"]);
}

#[test]
fn a_line_that_never_ends_is_delivered_and_marked() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "panic: ");
    rig.run(Duration::from_secs(12));
    rig.kill();
    rig.append("a.log", "gone\nnext\n");
    rig.second();
    assert_eq!(rig.bodies(), ["panic: ", "gone", "next"]);
    let marked: Vec<bool> = rig.lines.iter().map(|line| !line.marks.is_empty()).collect();
    assert_eq!(marked, [true, true, false]);
}

#[test]
fn long_lines_are_cut_and_marked() {
    let mut rig = Rig::new("*.log");
    let long = "x".repeat(300 << 10);
    rig.append("a.log", format!("{long}\nshort\n"));
    // Without its newline for now, and longer than a chunk.
    rig.append("a.log", &long);
    rig.second();
    rig.kill();
    rig.append("a.log", format!("{long}{long}\nlast\n"));
    rig.second();
    let lens: Vec<usize> = rig.lines.iter().map(|line| line.body.len()).collect();
    assert_eq!(lens, [256 << 10, 5, 256 << 10, 4]);
    assert_eq!(rig.lines[2].marks, ["log.truncated"]);
    assert_eq!(rig.metrics.cut_bytes.get(), 4 * (300 << 10) - 2 * (256 << 10));
}

#[test]
fn bytes_that_are_no_text_are_mended_and_marked() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", b"\xef\xbb\xbfbom\ncaf\xe9\n\0\0\0zeros\n");
    rig.second();
    // Each of these bytes becomes three: the text is cut, not the record refused.
    rig.append("b.log", [&vec![0xff; 200 << 10][..], b"\n"].concat());
    rig.second();
    assert_eq!(rig.bodies()[..3], ["bom", "caf\u{fffd}", "zeros"]);
    assert_eq!(rig.lines[1].marks, ["log.invalid_utf8"]);
    assert!(rig.lines[3].body.len() <= 256 << 10);
    assert_eq!(rig.lines[3].marks, ["log.truncated", "log.invalid_utf8"]);
}

#[test]
fn starting_at_the_end_skips_what_is_there_and_nothing_else() {
    let mut rig = Rig::new("*.log");
    rig.input.start_at = StartAt::End;
    rig.append("a.log", "old\n");
    rig.second();
    rig.append("b.log", "later\n");
    rig.kill();
    rig.append("a.log", "while down\n");
    rig.second();
    rig.append("a.log", "new\n");
    rig.second();
    let mut bodies = rig.bodies();
    bodies.sort_unstable();
    // b.log came while no agent looked: it counts as there at the start.
    assert_eq!(bodies, ["new", "while down"]);
    rig.append("c.log", "appeared\n");
    rig.second();
    assert_eq!(rig.bodies().last(), Some(&"appeared"));
}

#[test]
fn a_file_renamed_while_the_agent_was_down_is_found_by_its_inode() {
    let mut rig = Rig::new("a.log");
    rig.append("a.log", "one\n");
    rig.second();
    rig.kill();
    rig.append("a.log", "two\n");
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", "three\n");
    rig.second();
    let mut bodies = rig.bodies();
    bodies.sort_unstable();
    assert_eq!(bodies, ["one", "three", "two"]);
    assert!(rig.lines.iter().all(|line| line.file == "a.log"), "lines keep the name they were written under");
}

#[test]
fn half_a_line_in_a_file_that_is_renamed_while_the_agent_is_down_is_not_lost() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "ha");
    rig.append("b.log", "one\n");
    rig.second();
    write(&rig.path("b.log"), b"tw");
    rig.second();
    rig.kill();
    for (name, half) in [("a.log", "lf\n"), ("b.log", "o\n")] {
        rig.append(name, half);
        rig.rename(name, &format!("{name}.1"));
    }
    rig.second();
    let mut bodies = rig.bodies();
    bodies.sort_unstable();
    assert_eq!(bodies, ["half", "one", "two"]);
}

#[test]
fn links_lead_to_one_file_and_broken_ones_to_none() {
    let mut rig = Rig::new("*.log");
    rig.append("real.log", "one\n");
    std::os::unix::fs::symlink(rig.path("real.log"), rig.path("link.log")).unwrap();
    std::os::unix::fs::symlink(rig.path("nowhere"), rig.path("broken.log")).unwrap();
    rig.second();
    assert_eq!(rig.bodies(), ["one"]);
}

#[test]
fn a_link_that_is_turned_to_another_file_follows_it() {
    let mut rig = Rig::new("current.log");
    rig.append("1.txt", "one\n");
    rig.append("2.txt", "two\n");
    std::os::unix::fs::symlink(rig.path("1.txt"), rig.path("current.log")).unwrap();
    rig.second();
    rig.append("1.txt", "late\n");
    fs::remove_file(rig.path("current.log")).unwrap();
    std::os::unix::fs::symlink(rig.path("2.txt"), rig.path("current.log")).unwrap();
    rig.second();
    let mut bodies = rig.bodies();
    bodies.sort_unstable();
    assert_eq!(bodies, ["late", "one", "two"]);
}

#[test]
fn directories_and_unreadable_things_are_counted_and_tried_again() {
    let mut rig = Rig::new("*.log");
    fs::create_dir(rig.path("dir.log")).unwrap();
    // A link in a circle cannot be opened by anyone.
    std::os::unix::fs::symlink(rig.path("loop.log"), rig.path("loop.log")).unwrap();
    rig.append("a.log", "one\n");
    rig.run(Duration::from_secs(3));
    assert_eq!(rig.bodies(), ["one"]);
    assert!(rig.metrics.file_errors.with_label_values(&["open"]).get() >= 2);
    fs::remove_file(rig.path("loop.log")).unwrap();
    rig.append("loop.log", "mended\n");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "mended"]);
}

#[test]
fn a_thousand_files_are_followed() {
    let mut rig = Rig::new("*.log");
    for index in 0..1000 {
        rig.append(&format!("{index}.log"), format!("{index} first\n"));
    }
    rig.second();
    rig.kill();
    for index in 0..1000 {
        rig.append(&format!("{index}.log"), format!("{index} second\n"));
    }
    rig.run(Duration::from_secs(3));
    assert_eq!(rig.lines.len(), 2000);
    assert_eq!(rig.cursors.len(), 1000);
    let bodies: std::collections::HashSet<&str> = rig.bodies().into_iter().collect();
    assert_eq!(bodies.len(), 2000);
}

#[test]
fn a_parcel_always_fits_a_queue_record() {
    let mut rig = Rig::new("*.log");
    let long = "y".repeat(255 << 10);
    for file in 0..40 {
        rig.append(&format!("{file}.log"), format!("{}\n{long}\n", "x".repeat(3000)).repeat(3));
    }
    let parcels = rig.collect(Duration::from_secs(3));
    for parcel in &parcels {
        let cursors: usize = parcel.cursors.iter().map(crate::queue::Cursor::size_bytes).sum();
        assert!(parcel.payload.len() + cursors <= crate::queue::MAX_PARCEL_BYTES);
        rig.keep(parcel);
    }
    assert_eq!(rig.lines.len(), 40 * 6);
}

#[test]
fn a_file_that_stays_away_is_forgotten() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.second();
    rig.kill();
    fs::remove_file(rig.path("a.log")).unwrap();
    rig.second();
    assert_eq!(rig.cursors.len(), 1, "it may come back: a volume that is not mounted yet");
    rig.run(Duration::from_secs(700));
    assert!(rig.cursors.is_empty());
}

#[test]
fn thousands_of_files_are_taken_up_in_parcels_that_fit() {
    let mut rig = Rig::new("*.log");
    let count = 6000;
    for file in 0..count {
        write(&rig.path(&format!("{file:0150}.log")), b"one\n");
    }
    let parcels = rig.collect(Duration::from_secs(5));
    let bytes = |parcel: &Parcel| {
        parcel.payload.len() + parcel.cursors.iter().map(crate::queue::Cursor::size_bytes).sum::<usize>()
    };
    let largest = parcels.iter().map(bytes).max().unwrap();
    assert!(largest < crate::queue::MAX_PARCEL_BYTES, "{largest}");
    parcels.iter().for_each(|parcel| rig.keep(parcel));
    assert_eq!((rig.lines.len(), rig.cursors.len()), (count, count));
    rig.kill();
    rig.run(Duration::from_secs(5));
    assert_eq!(rig.lines.len(), count, "all are known after a restart");
}

#[test]
fn thousands_of_files_that_do_not_come_back_are_forgotten_in_parcels_that_fit() {
    let mut rig = Rig::new("*.log");
    for inode in 0..40_000 {
        let key = FileKey { device: 0, inode };
        let place = Place {
            offset: 0,
            fingerprint: Fingerprint::default(),
            mode: Mode::Line,
            ahead: [0; 3],
            path: PathBuf::from("/no/such/file"),
        };
        let cursor = place.cursor(key);
        rig.cursors.insert(cursor.source, cursor.place.unwrap());
    }
    rig.timing.missing = Duration::from_secs(1);
    let parcels = rig.collect(Duration::from_secs(5));
    let bytes = |parcel: &Parcel| parcel.cursors.iter().map(crate::queue::Cursor::size_bytes).sum::<usize>();
    let largest = parcels.iter().map(bytes).max().unwrap();
    assert!(largest < crate::queue::MAX_PARCEL_BYTES, "{largest}");
    parcels.iter().for_each(|parcel| rig.keep(parcel));
    assert!(rig.cursors.is_empty());
}

/// A link to itself is what even the superuser cannot look behind.
fn hide(rig: &Rig, name: &str) {
    rig.rename(name, "hidden");
    std::os::unix::fs::symlink(rig.path(name), rig.path(name)).unwrap();
}

fn show(rig: &Rig, name: &str) {
    fs::remove_file(rig.path(name)).unwrap();
    rig.rename("hidden", name);
}

#[test]
fn files_of_a_directory_that_cannot_be_listed_for_a_while_are_not_read_again() {
    for pattern in ["d/*.log", "**/*.log", "d/a.log"] {
        let mut rig = Rig::new(pattern);
        fs::create_dir(rig.path("d")).unwrap();
        rig.append("d/a.log", "one\n");
        rig.second();
        let folder = if pattern == "**/*.log" { rig.folder.path().to_owned() } else { rig.path("d") };
        let away = folder.with_extension("away");
        fs::rename(&folder, &away).unwrap();
        std::os::unix::fs::symlink(&folder, &folder).unwrap();
        rig.run(Duration::from_secs(70));
        fs::remove_file(&folder).unwrap();
        fs::rename(&away, &folder).unwrap();
        rig.append("d/a.log", "two\n");
        rig.second();
        assert_eq!(rig.bodies(), ["one", "two"], "{pattern}");
    }
}

#[test]
fn a_file_that_cannot_be_looked_at_for_a_while_is_not_read_again() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.second();
    hide(&rig, "a.log");
    rig.run(Duration::from_secs(70));
    show(&rig, "a.log");
    rig.append("a.log", "two\n");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "two"]);
}

#[test]
fn a_place_in_a_directory_that_cannot_be_listed_is_kept() {
    let mut rig = Rig::new("d/*.log");
    fs::create_dir(rig.path("d")).unwrap();
    rig.append("d/a.log", "one\n");
    rig.second();
    rig.kill();
    hide(&rig, "d");
    rig.run(Duration::from_secs(700));
    show(&rig, "d");
    rig.append("d/a.log", "two\n");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "two"]);
}

#[test]
fn a_file_that_is_excluded_by_now_is_not_read_on() {
    let mut rig = Rig::new("*.log");
    rig.append("a.log", "one\n");
    rig.append("b.log", "one\n");
    rig.second();
    rig.kill();
    rig.input.exclude = vec![Glob::parse(&rig.path("a.*").display().to_string()).unwrap()];
    rig.append("a.log", "two\n");
    rig.append("b.log", "three\n");
    rig.rename("b.log", "b.log.1");
    rig.second();
    assert_eq!(rig.bodies(), ["one", "one", "three"]);
}
