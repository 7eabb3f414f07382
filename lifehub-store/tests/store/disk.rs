//! A disk that is full: one clear error, nothing half written, and no help needed once there is space.

use std::path::Path;
use std::process::Command;

use lifehub_core::ErrorKind;
use lifehub_core::engine::SyncStore;

use crate::world::{World, insert, open, put, workout};

/// A file system of that many MiB, or `None`, with the reason printed, where none can be mounted.
#[expect(clippy::print_stderr, reason = "who reads the test's output sees what was not tested")]
fn small_disk(at: &Path, mebibytes: u32) -> Option<Mounted<'_>> {
    let size = format!("size={mebibytes}m");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
    if mounted.is_ok_and(|out| out.status.success()) {
        return Some(Mounted(at));
    }
    let required = std::env::var("LIFEHUB_TEST_REQUIRE").is_ok_and(|list| list.contains("tmpfs"));
    assert!(!required, "a tmpfs cannot be mounted here, and LIFEHUB_TEST_REQUIRE asks for one");
    eprintln!("skipped: a tmpfs cannot be mounted here");
    None
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_one_clear_error_and_harms_nothing() {
    let dir = tempfile::TempDir::new().unwrap();
    let disk = dir.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let Some(_mounted) = small_disk(&disk, 4) else { return };
    let inner = tempfile::TempDir::new_in(&disk).unwrap();
    let world = World::in_dir(inner).await;
    let ballast = disk.join("ballast");
    let page = |n: i64| {
        let one = |k: i64| {
            let mut put =
                put(&format!("{n}-{k}"), None, vec![insert(world.record_id(), workout(n * 60, 1.0))]);
            let body = format!("{{\"filler\":\"{}\"}}", "x".repeat(2000));
            put.body =
                lifehub_core::engine::BodyChange::Store(lifehub_core::page::RawJson::new(body).unwrap());
            put
        };
        world.batch((0..20).map(one).collect())
    };
    let mut committed = 0;
    for round in 0..50 {
        // Less space each time, so that the error comes at another write each time.
        std::fs::write(&ballast, vec![0; 1_500_000 - round * 20_011]).unwrap();
        let mut failed = None;
        for n in 0..100 {
            match world.store.commit(&world.lease, page(committed + n)).await {
                Ok(()) => {}
                Err(error) => {
                    failed = Some(error);
                    committed += n;
                    break;
                }
            }
        }
        let Some(error) = failed else { panic!("4 MiB hold everything") };
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error:?}");
        assert!(error.get_hint().is_some());
        // Reads go on.
        assert_eq!(
            world.store.counts(world.user).await.unwrap()[0].records,
            (committed * 20).cast_unsigned()
        );
        std::fs::remove_file(&ballast).unwrap();
        if round == 20 {
            break;
        }
    }
    let again = open(&world.dir).await;
    assert_eq!(again.counts(world.user).await.unwrap()[0].records, (committed * 20).cast_unsigned());
    world.assert_sound().await;
    again.close().await.unwrap();
    world.store.close().await.unwrap();
}
