//! The ledger of runs, and the vault.

use lifehub_core::ErrorKind;
use lifehub_core::engine::{ErrorReport, ItemRef, RunStatus, StreamReport};
use lifehub_core::record::RunId;
use lifehub_core::secret::{Credentials, Secret};

use super::world::{World, equal, instant, put, refused, workout};
use super::{Outcome, Subject, Verdict};

/// The latest entry comes back whole: that of the run that began last, as it was written last.
pub(super) async fn the_ledger_has_the_latest_run(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let other = world.beside(world.user, "two").await?;
    equal(world.storage.latest(world.connection.id).await?, None, "the latest run of a new connection")?;
    let mut entry = world.run_entry();
    for number in 1..=3_u8 {
        entry.id = RunId::from_bytes([number; 16]);
        entry.started_at = instant(i64::from(number));
        (entry.finished_at, entry.resume_at) = (None, None);
        entry.report.status = RunStatus::Running;
        world.storage.record(&world.lease, &entry).await?;
        equal(world.storage.latest(world.connection.id).await?.as_ref(), Some(&entry), "a run that began")?;
        let mut stream = StreamReport::new("activities");
        stream.counts.inserted = u64::from(number);
        stream.error = Some(ErrorReport {
            kind: ErrorKind::Unavailable,
            message: "\"ä\" is away".to_owned(),
            hint: Some("wait".to_owned()),
            partition: None,
        });
        entry.report.streams = vec![stream];
        entry.report.status = RunStatus::Parked;
        entry.report.duration_ms = u64::from(number) << 40;
        (entry.finished_at, entry.resume_at) = (Some(instant(50)), Some(instant(500)));
        world.storage.record(&world.lease, &entry).await?;
        equal(world.storage.latest(world.connection.id).await?.as_ref(), Some(&entry), "a run that ended")?;
    }
    equal(other.storage.latest(other.connection.id).await?, None, "the latest run of the other connection")?;
    Ok(Outcome::Passed)
}

/// The entry of a batch is there with the batch, and is not when the batch is not.
pub(super) async fn the_run_entry_is_of_the_same_transaction(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut batch = world.batch(vec![world.new_item("a", workout(0, 1.0))]);
    batch.run.report.duration_ms = 1;
    let first = batch.run.clone();
    world.commit_batch(batch).await?;
    equal(world.storage.latest(world.connection.id).await?.as_ref(), Some(&first), "the entry of a commit")?;
    let nowhere = ItemRef(world.known("a").await?.item.0 + 99);
    let mut failing = world.batch(vec![put("a", Some(nowhere), vec![])]);
    failing.run.report.duration_ms = 2;
    let mut late = failing.clone();
    late.puts.clear();
    refused(
        world.storage.commit(&world.lease, failing).await,
        ErrorKind::Internal,
        "a row that is not there",
    )?;
    let what = "the entry after a commit that failed";
    equal(world.storage.latest(world.connection.id).await?.as_ref(), Some(&first), what)?;
    world.storage.release(&world.lease).await?;
    refused(world.storage.commit(&world.lease, late).await, ErrorKind::LeaseLost, "a late commit")?;
    equal(world.storage.latest(world.connection.id).await?.as_ref(), Some(&first), what)?;
    Ok(Outcome::Passed)
}

/// Credentials come back as they were given, each connection's own.
pub(super) async fn credentials_come_back(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let long = "ä\u{0}\"\n".repeat(2000);
    let sets = [
        Credentials::none(),
        Credentials::none().with("api_key", Secret::new("")),
        Credentials::none().with("access_token", Secret::new("one")).with("refresh ü", Secret::new(long)),
    ];
    let mut made = Vec::new();
    for (number, credentials) in sets.iter().enumerate() {
        let account = number.to_string();
        made.push(world.store.add_connection(world.user, "example", &account, credentials.clone()).await?);
    }
    for (connection, expected) in made.iter().zip(&sets) {
        let found = world.storage.credentials(connection.id).await?.credentials;
        let names: Vec<_> = found.names().collect();
        equal(names, expected.names().collect::<Vec<_>>(), "the names of the credentials")?;
        // A secret stands in no message: not what differs, only that it does.
        let same = *found.to_clear_bytes() == *expected.to_clear_bytes();
        equal(same, true, "whether the credentials are those that were given")?;
    }
    Ok(Outcome::Passed)
}

/// No credential stands in anything that the store wrote, or shows beside the vault.
pub(super) async fn no_credential_is_readable(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let secret = "a-secret-that-is-easy-to-find";
    let token = Credentials::none().with("access_token", Secret::new(secret));
    let connection = world.store.add_connection(world.user, "example", "secret", token).await?;
    world.commit(vec![world.new_item("a", workout(0, 1.0))]).await?;
    let shown = format!(
        "{connection:?} {:?} {:?}",
        world.storage.latest(connection.id).await?,
        world.storage.credentials(connection.id).await?
    );
    equal(shown.contains(secret), false, "whether a debug form shows a credential")?;
    let Some(written) = world.store.written().await? else {
        return Ok(Outcome::NotApplicable("writes nothing where others may read it"));
    };
    let holds = |text: &str| written.windows(text.len()).any(|window| window == text.as_bytes());
    equal(holds("activities"), true, "whether what was written is looked at where it stands")?;
    equal(holds(secret), false, "whether a credential stands in what was written")?;
    Ok(Outcome::Passed)
}
