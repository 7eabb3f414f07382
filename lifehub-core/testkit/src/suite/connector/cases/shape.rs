//! What a connector says of itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::Rng;
use lifehub_core::connector::{Manifest, StreamSpec};
use lifehub_core::http::{MemoryLedger, Quotas};
use lifehub_core::record::DatasetInfo;
use url::Url;

use crate::suite::connector::rig::Rig;
use crate::suite::connector::{Subject, clock, fixtures};
use crate::suite::{Failure, Outcome, Verdict, ensure};

pub(in super::super) async fn manifest_is_sane(subject: &Subject) -> Verdict {
    let rig = Rig::new(subject, &subject.small())?;
    let connector = rig.connector();
    let manifest = connector.manifest();
    let again = [connector.manifest(), (rig.connector()).manifest()].map(|m| serde_json::to_value(m).ok());
    let first = serde_json::to_value(manifest).ok();
    ensure!(first.is_some() && again.iter().all(|m| *m == first), "the manifest is not the same each time");

    let Manifest { id, title, about, docs, base_url, .. } = manifest;
    ensure!(is_name(id, '-'), "the id {id:?} is not of lower-case letters, digits and `-`");
    ensure!(!title.trim().is_empty(), "there is no title");
    ensure!(!about.trim().is_empty(), "there is no line on what is read");
    ensure!(is_web(docs), "`docs` is no address of the web: {docs:?}");
    let own = connector.base_url(&rig.access.settings)?;
    ensure!(
        is_web(base_url) || base_url.is_empty() && own.is_some(),
        "the base URL {base_url:?} is no address of the web, and the settings name none"
    );
    for origin in manifest.origins {
        ensure!(is_web(origin), "{origin:?} is no origin");
    }
    ensure!(is_web(manifest.terms.url), "the terms are nowhere: {:?}", manifest.terms.url);

    ensure!(!manifest.streams.is_empty(), "there are no streams");
    let mut names = BTreeSet::new();
    for stream in &manifest.streams {
        ensure!(names.insert(stream.name), "two streams are named {:?}", stream.name);
        sane_stream(stream)?;
    }

    let fields: BTreeSet<_> = manifest.auth.fields.iter().map(|field| field.name).collect();
    ensure!(fields.len() == manifest.auth.fields.len(), "two credentials have the same name");
    for field in manifest.auth.fields.iter().filter(|field| field.required) {
        let given = rig.access.credentials.get(field.name).is_some();
        ensure!(given, "the simulated account has no {:?}, which is required", field.name);
    }
    for name in rig.access.credentials.names() {
        ensure!(fields.contains(name), "the simulated account gives {name:?}, which is no credential");
    }
    manifest.settings.check(&rig.access.settings)?;

    let quotas = manifest.quotas.clone();
    let ledger = Arc::new(MemoryLedger::default());
    Quotas::new(*id, "", quotas, ledger, clock(), Arc::new(Rng::seeded(1)))?;
    Ok(Outcome::Passed)
}

fn sane_stream(stream: &StreamSpec) -> Result<(), Failure> {
    let name = stream.name;
    ensure!(is_name(name, '_'), "the stream {name:?} is not of lower-case letters, digits and `_`");
    ensure!(!stream.title.trim().is_empty(), "the stream {name} has no title");
    ensure!(!stream.datasets.is_empty(), "the stream {name} has no dataset");
    for dataset in stream.datasets {
        ensure!(
            DatasetInfo::find(dataset).is_some(),
            "the stream {name} names the dataset {dataset:?}, which does not exist"
        );
    }
    ensure!(stream.version >= 1, "the normalizer of {name} has version 0");
    ensure!(stream.interval >= Duration::from_secs(60), "{name} is due more often than every minute");
    ensure!(stream.full_every >= stream.interval, "{name}: full passes are due more often than live ones");
    Ok(())
}

fn is_name(text: &str, joint: char) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint)
}

fn is_web(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

pub(in super::super) async fn fixtures_give_their_records(subject: &Subject) -> Verdict {
    let connector = (subject.connector)();
    for stream in &connector.manifest().streams {
        fixtures::check(&subject.fixtures, stream)?;
    }
    Ok(Outcome::Passed)
}

pub(in super::super) async fn identify_tells_whose_account_it_is(subject: &Subject) -> Verdict {
    let rig = Rig::new(subject, &subject.small())?;
    let engine = rig.engine();
    let mut accounts = BTreeSet::new();
    for _ in 0..2 {
        let identity = engine
            .identify(&rig.connection.provider, &rig.connection.settings, rig.credentials())
            .await
            .map_err(Failure::from)?;
        ensure!(!identity.account.trim().is_empty(), "the account has no id");
        let shown = format!("{identity:?}");
        let leaks = rig.secrets().into_iter().any(|secret| shown.contains(&secret));
        ensure!(!leaks, "the account's id or title holds a secret");
        accounts.insert(identity.account);
    }
    ensure!(accounts.len() == 1, "the account has another id each time");
    Ok(Outcome::Passed)
}
