//! What a user agreed to, and what they did not.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::engine::SyncOptions;

use super::wire::first_error;
use crate::account::Change;
use crate::oauth::agree;
use crate::suite::connector::Subject;
use crate::suite::connector::rig::Rig;
use crate::suite::{Failure, Outcome, Verdict, ensure};

const HOUR: Duration = Duration::from_secs(3_600);

pub(in super::super) async fn consent_opens_the_account(subject: &Subject) -> Verdict {
    let rig = Rig::new(subject, &subject.small())?;
    let connector = rig.connector();
    let manifest = connector.manifest();
    if manifest.auth.oauth.is_none() {
        return Ok(Outcome::NotApplicable("this provider has no consent page"));
    }
    ensure!(
        rig.access.oauth.is_some(),
        "the simulated account names no app, and nobody can be asked for consent"
    );
    let engine = rig.engine();
    let identity =
        async |credentials| engine.identify(manifest.id, &rig.connection.settings, credentials).await;
    let known = identity(rig.credentials()).await?;

    let client = engine.oauth(manifest.id)?;
    let authorized = agree(&client, manifest.id, rig.connection.user).await;
    let authorized = authorized.map_err(|e| Failure::from(e).when("when the code was to be exchanged"))?;
    let missing = authorized.missing_scopes;
    ensure!(missing.is_empty(), "the user agreed to everything, and {missing:?} are called missing");
    let life = authorized.tokens.life.unwrap_or(HOUR);
    let credentials = authorized.tokens.into_credentials(&rig.credentials());
    let found = identity(credentials.clone()).await?;
    ensure!(found == known, "the consent opens another account: {found:?}");

    rig.set_credentials(credentials);
    for run in 1..=3 {
        // The access token ends before each run, the refresh token is used once for each.
        rig.clock.advance(life);
        rig.sync().await.map_err(|f| f.when(format!("run {run} with tokens that end")))?;
        rig.equals_truth().map_err(|f| f.when(format!("run {run} with tokens that end")))?;
    }
    if rig.access.oauth.as_ref().is_none_or(|app| app.revoke_url.is_none()) {
        return Ok(Outcome::Passed);
    }
    client
        .revoke(&rig.stored_credentials().await?)
        .await
        .map_err(|e| Failure::from(e).when("giving it back"))?;
    let before = rig.stored();
    let report = rig.run(&SyncOptions::default()).await?;
    let kind = first_error(&report).map(|error| error.kind);
    ensure!(kind == Some(ErrorKind::Unauthorized), "the consent was given back, and the sync says {kind:?}");
    ensure!(rig.stored() == before, "the consent was given back, and the sync changed what is stored");
    Ok(Outcome::Passed)
}

pub(in super::super) async fn missing_scope_stops_its_stream_alone(subject: &Subject) -> Verdict {
    let connector = (subject.connector)();
    let mut tried = false;
    for stream in &connector.manifest().streams {
        let rig = Rig::new(subject, &subject.small())?;
        rig.sync().await?;
        let before = rig.stored();
        // Any one of several opens a stream, and the tokens of the suite have all.
        let known = stream
            .scopes
            .iter()
            .filter(|scope| rig.simulator.change(Change::Withhold(Some((**scope).into()))));
        if known.count() == 0 {
            continue;
        }
        tried = true;
        let report = rig.run(&SyncOptions::default()).await?;
        let named = report.streams.iter().find(|report| report.stream == stream.name);
        let error = named.and_then(|report| report.error.as_ref());
        let when = format!("without the scope for {}", stream.name);
        let Some(error) = error else {
            return Err(Failure::new("nobody was told").when(when));
        };
        if error.kind != ErrorKind::Forbidden || error.hint.is_none() {
            let text = format!("told as {}, hint {:?}: {}", error.kind, error.hint, error.message);
            return Err(Failure::new(text).when(when));
        }
        for other in report.streams.iter().filter(|other| other.stream != stream.name) {
            let spec = connector.manifest().stream(&other.stream);
            let shares =
                spec.is_some_and(|spec| spec.scopes.iter().any(|scope| stream.scopes.contains(scope)));
            ensure!(shares || other.error.is_none(), "{when}: {} ended in an error too", other.stream);
        }
        ensure!(rig.stored() == before, "{when}: something was changed");
        rig.simulator.change(Change::Withhold(None));
        rig.sync().await.map_err(|f| f.when(format!("{when}, once it was given")))?;
        rig.equals_truth().map_err(|f| f.when(format!("{when}, once it was given")))?;
    }
    let outcome = Outcome::NotApplicable("this provider's streams need no scopes");
    Ok(if tried { Outcome::Passed } else { outcome })
}
