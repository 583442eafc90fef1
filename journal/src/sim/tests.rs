//! The simulated disk forgets what it may forget, and nothing else.

#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::BTreeSet;

fn read(disk: &SimDisk, path: &str) -> Option<Vec<u8>> {
    let file = disk.open(Path::new(path)).ok()?;
    let mut bytes = vec![0; file.size_bytes().unwrap() as usize];
    let count = file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(count, bytes.len());
    Some(bytes)
}

fn append(disk: &SimDisk, path: &str, bytes: &[u8]) -> Arc<dyn DiskFile> {
    let path = Path::new(path);
    let file = disk.open(path).or_else(|_| disk.create(path)).unwrap();
    crate::append_all(&*file, &mut [IoSlice::new(bytes)]).unwrap();
    file
}

/// What many seeds leave of `/f` after a power loss.
fn outcomes(prepare: impl Fn(&SimDisk)) -> BTreeSet<Option<Vec<u8>>> {
    let run = |seed| {
        let disk = SimDisk::new(seed);
        prepare(&disk);
        disk.crash(Crash::Power);
        disk.restart();
        read(&disk, "/f.x")
    };
    (0..300).map(run).collect()
}

#[test]
fn what_was_synced_survives_power_loss() {
    let found = outcomes(|disk| {
        append(disk, "/f.x", b"synced").sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
    });
    assert_eq!(found, BTreeSet::from([Some(b"synced".to_vec())]));
}

#[test]
fn unsynced_bytes_are_lost_in_every_way() {
    let found = outcomes(|disk| {
        append(disk, "/f.x", b"AB").sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        append(disk, "/f.x", b"cd");
    });
    for expected in [b"AB".as_slice(), b"ABc", b"ABcd", b"AB\0d", b"AB\0\0", b"ABc\0"] {
        assert!(found.contains(&Some(expected.to_vec())), "{expected:?}");
    }
    assert!(found.iter().flatten().all(|bytes| bytes.starts_with(b"AB")));
}

#[test]
fn an_unsynced_entry_is_lost_even_if_the_file_was_synced() {
    let found = outcomes(|disk| append(disk, "/f.x", b"synced").sync_data().unwrap());
    assert_eq!(found, BTreeSet::from([None, Some(b"synced".to_vec())]));
}

#[test]
fn a_rename_shows_the_old_or_the_new_file() {
    let found = outcomes(|disk| {
        append(disk, "/f.x", b"old").sync_data().unwrap();
        append(disk, "/g.x", b"new").sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        disk.rename(Path::new("/g.x"), Path::new("/f.x")).unwrap();
    });
    assert_eq!(found, BTreeSet::from([Some(b"new".to_vec()), Some(b"old".to_vec())]));
}

#[test]
fn a_process_crash_keeps_the_cache_and_ends_the_handles() {
    let disk = SimDisk::new(1);
    let file = append(&disk, "/f.x", b"cached");
    disk.crash(Crash::Process);
    assert!(disk.list(Path::new("/")).is_err() && disk.is_down());
    disk.restart();
    assert_eq!(read(&disk, "/f.x").unwrap(), b"cached");
    assert!(file.sync_data().is_err());
}

#[test]
fn bytes_of_a_failed_sync_are_not_made_durable_by_the_next() {
    let mut lost = 0;
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let file = append(&disk, "/f.x", b"dropped");
        disk.sync_dir(Path::new("/")).unwrap();
        disk.set_faults(Faults { sync_error_percent: 100, ..Faults::default() });
        file.sync_data().unwrap_err();
        disk.set_faults(Faults::default());
        file.sync_data().unwrap();
        disk.crash(Crash::Power);
        disk.restart();
        lost += usize::from(read(&disk, "/f.x").unwrap() != b"dropped");
    }
    assert!(lost > 10, "{lost}");
}

#[test]
fn a_full_disk_takes_what_fits() {
    let disk = SimDisk::new(1);
    disk.set_faults(Faults { capacity_bytes: Some(4), ..Faults::default() });
    let file = disk.create(Path::new("/f.x")).unwrap();
    let error = crate::append_all(&*file, &mut [IoSlice::new(b"abcdef")]).unwrap_err();
    assert!(crate::is_full(&error));
    assert_eq!(read(&disk, "/f.x").unwrap(), b"abcd");
}

#[test]
fn the_same_seed_gives_the_same_crash() {
    let run = || {
        let disk = SimDisk::new(9);
        disk.crash_at(4, Crash::Power);
        let file = append(&disk, "/f.x", b"some bytes");
        disk.sync_dir(Path::new("/")).unwrap();
        file.sync_data().unwrap_err();
        disk.restart();
        (disk.trace(), disk.crash_points(), read(&disk, "/f.x"))
    };
    assert_eq!(run(), run());
    assert_eq!(run().0.len(), 4);
}
