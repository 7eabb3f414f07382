//! What nobody may read anywhere.

use lifehub_core::engine::SyncOptions;

use crate::fault::{Fault, FaultPlan};
use crate::message::{SimRequest, SimResponse, Simulator};
use crate::server::Server;
use crate::suite::connector::Subject;
use crate::suite::connector::capture::Log;
use crate::suite::connector::rig::{Rig, full};
use crate::suite::{Failure, Outcome, Verdict};

pub(in super::super) async fn no_output_holds_a_secret(subject: &Subject) -> Verdict {
    let rig = Rig::new(subject, &subject.small())?;
    let secrets = rig.secrets();
    if secrets.is_empty() {
        return Ok(Outcome::NotApplicable("this provider takes no secrets"));
    }
    let log = Log::default();
    let guard = log.catch();
    let mut outputs: Vec<(&str, String)> = Vec::new();
    let elsewhere = Server::start(Nobody)?;

    let engine = rig.engine();
    let faults = [
        None,
        Some(Fault::Echo),
        Some(Fault::Unauthorized),
        Some(Fault::WebPage),
        Some(Fault::ErrorInside),
        Some(Fault::RedirectTo(elsewhere.port())),
        Some(Fault::CutBody),
        Some(Fault::ResetBefore),
    ];
    for fault in faults {
        rig.faults(fault.map(|fault| FaultPlan::none().from(1, fault)));
        let identity =
            engine.identify(&rig.connection.provider, &rig.connection.settings, rig.credentials()).await;
        match identity {
            Ok(identity) => outputs.push(("an identity", format!("{identity:?}"))),
            Err(error) => {
                outputs.push(("an error", format!("{error} {error:?} {:?}", error.get_hint())));
            }
        }
        for options in [SyncOptions::default(), full()] {
            let report = rig.run(&options).await?;
            outputs.push(("a report", serde_json::to_string(&report).unwrap_or_default()));
            outputs.push(("a report", format!("{report:?}")));
        }
    }
    drop(guard);
    outputs.push(("the log", log.text()));
    outputs.push(("the connection", format!("{:?} {:?}", rig.connection, rig.credentials())));
    for cursor in rig.cursors().await? {
        outputs.push(("a cursor", cursor.as_str().to_owned()));
    }
    for record in rig.stored().records {
        outputs.push(("a record", record.to_string()));
    }
    for (what, text) in &outputs {
        if secrets.iter().any(|secret| shows(text, secret)) {
            // The failure must not show it either.
            return Err(Failure::new(format!("{what} holds a secret")));
        }
    }
    Ok(Outcome::Passed)
}

/// Whether a text holds a secret: as it is, or percent-encoded.
fn shows(text: &str, secret: &str) -> bool {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    text.contains(secret) || text.contains(&encoded)
}

/// The host to which the provider redirects.
struct Nobody;

impl Simulator for Nobody {
    fn handle(&self, _: &SimRequest) -> SimResponse {
        SimResponse::empty(404)
    }
}
