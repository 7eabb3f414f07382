//! What comes over the wire when a provider, or something on the way, is having a bad day.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::engine::{ErrorReport, Report, RunStatus, SyncOptions};

use crate::account::{Change, Setup};
use crate::fault::{Fault, FaultPlan};
use crate::message::{SimRequest, SimResponse, Simulator};
use crate::server::Server;
use crate::suite::connector::Subject;
use crate::suite::connector::rig::{Rig, full};
use crate::suite::{Failure, Outcome, Verdict, ensure};

/// How many requests a run may send in vain: five tries, for whatever is asked besides, and some room.
const TRIES: u64 = 16;

/// A wait that is waited for, and one that parks; in seconds.
const SHORT: u32 = 7;
const LONG: u32 = 3_600;

pub(in super::super) async fn throttling_in_seconds_is_obeyed(subject: &Subject) -> Verdict {
    subject.each_stream(async |setup| throttled(subject, setup, Fault::RetryAfterSeconds).await).await
}

pub(in super::super) async fn throttling_by_date_is_obeyed(subject: &Subject) -> Verdict {
    subject.each_stream(async |setup| throttled(subject, setup, Fault::RetryAfterDate).await).await
}

async fn throttled(subject: &Subject, setup: &Setup, fault: fn(u32) -> Fault) -> Verdict {
    let (_, requests) = Rig::synced(subject, setup).await?;
    for k in 1..=requests {
        let rig = Rig::new(subject, setup)?;
        rig.faults(Some(FaultPlan::none().at(k, fault(SHORT))));
        rig.sync().await.map_err(|f| f.when(format!("throttled at request {k}")))?;
        rig.equals_truth().map_err(|f| f.when(format!("throttled at request {k}")))?;
        let log = rig.server.take_requests();
        let refused = log.iter().position(|request| request.status == Some(429));
        let Some((refused, next)) = refused.and_then(|i| Some((log.get(i)?, log.get(i + 1)?))) else {
            return Err(Failure::new(format!("nothing was asked after request {k} was throttled")));
        };
        let free = refused.at + Duration::from_secs(u64::from(SHORT));
        ensure!(next.at >= free, "asked to wait until {free}, it came back at {}", next.at);
    }
    let rig = Rig::new(subject, setup)?;
    rig.faults(Some(FaultPlan::none().at(1, fault(LONG))));
    let before = rig.clock_now();
    let report = rig.run(&SyncOptions::default()).await?;
    ensure!(
        report.status == RunStatus::Parked && report.streams.iter().all(|s| s.error.is_none()),
        "asked to wait for an hour, the run did not park: {:?} {:?}",
        report.status,
        first_error(&report)
    );
    let waited = rig.clock_now().since(before);
    ensure!(waited < Duration::from_secs(u64::from(LONG) + 1_800), "it waited instead of parking");
    ensure!(rig.server.request_count() == 1, "it asked again before the hour was over");
    rig.clock.advance(Duration::from_secs(600));
    rig.sync().await.map_err(|f| f.when("an hour later"))?;
    rig.equals_truth()?;
    Ok(Outcome::Passed)
}

pub(in super::super) async fn server_errors_are_tried_again(subject: &Subject) -> Verdict {
    let over = [Fault::ServerError, Fault::Unavailable, Fault::Reset, Fault::ResetBefore];
    subject
        .each_stream(async |setup| {
            passes(subject, setup, &over).await?;
            stays(subject, setup, Fault::Unavailable, None).await
        })
        .await
}

pub(in super::super) async fn truncated_answer_is_no_page(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            passes(subject, setup, &[Fault::CutBody, Fault::ShortBody]).await?;
            stays(subject, setup, Fault::CutBody, None).await?;
            stays(subject, setup, Fault::ShortBody, None).await
        })
        .await
}

pub(in super::super) async fn error_inside_200_is_no_page(subject: &Subject) -> Verdict {
    subject.each_stream(async |setup| stays(subject, setup, Fault::ErrorInside, None).await).await
}

pub(in super::super) async fn web_page_is_no_page(subject: &Subject) -> Verdict {
    subject.each_stream(async |setup| stays(subject, setup, Fault::WebPage, None).await).await
}

pub(in super::super) async fn refused_credentials_stop_it(subject: &Subject) -> Verdict {
    let kind = Some(ErrorKind::Unauthorized);
    subject.each_stream(async |setup| stays(subject, setup, Fault::Unauthorized, kind).await).await
}

pub(in super::super) async fn foreign_link_is_refused(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let elsewhere = Server::start(Elsewhere)?;
            stays(subject, setup, Fault::RedirectTo(elsewhere.port()), None).await?;
            let heard = elsewhere.request_count();
            ensure!(heard == 0, "a redirect led to another host, and it was sent {heard} requests");
            let rig = Rig::new(subject, setup)?;
            if rig.simulator.change(Change::LeadTo(Some(elsewhere.url()))) {
                let report = rig.run(&SyncOptions::default()).await?;
                let heard = elsewhere.request_count();
                ensure!(heard == 0, "a next link led to another host, and it was sent {heard} requests");
                ensure!(
                    first_error(&report).is_some(),
                    "a next link led to another host, and nobody was told"
                );
                rig.simulator.change(Change::LeadTo(None));
                rig.sync_full().await?;
                rig.equals_truth()?;
            }
            Ok(Outcome::Passed)
        })
        .await
}

pub(in super::super) async fn empty_page_is_not_the_end(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let rig = Rig::new(subject, setup)?;
            if !rig.simulator.change(Change::EmptyPages(true)) {
                return Ok(Outcome::NotApplicable("an empty page is the end at this provider"));
            }
            for which in ["first", "second"] {
                rig.sync().await.map_err(|f| f.when(format!("{which} sync with empty pages")))?;
                rig.equals_truth().map_err(|f| f.when(format!("{which} sync with empty pages")))?;
            }
            rig.sync_full().await?;
            rig.equals_truth()?;
            Ok(Outcome::Passed)
        })
        .await
}

/// Each of these faults alone, at each request: the sync gets over it.
async fn passes(subject: &Subject, setup: &Setup, faults: &[Fault]) -> Result<(), Failure> {
    let (_, requests) = Rig::synced(subject, setup).await?;
    for k in 1..=requests {
        for fault in faults {
            let rig = Rig::new(subject, setup)?;
            rig.faults(Some(FaultPlan::none().at(k, *fault)));
            let when = format!("{fault:?} at request {k}");
            rig.sync().await.map_err(|f| f.when(&when))?;
            rig.equals_truth().map_err(|f| f.when(&when))?;
        }
    }
    Ok(())
}

/// The fault from each request on, in a first sync and in a full one over stored items: it ends in an error (of this
/// kind) soon, deletes nothing, and once the fault is over the sync ends equal.
async fn stays(subject: &Subject, setup: &Setup, fault: Fault, kind: Option<ErrorKind>) -> Verdict {
    let (_, requests) = Rig::synced(subject, setup).await?;
    for k in 1..=requests {
        for again in [false, true] {
            let rig = Rig::new(subject, setup)?;
            if again {
                rig.sync().await?;
            }
            let stored = rig.stored();
            let sent = rig.server.request_count();
            rig.faults(Some(FaultPlan::none().from(k, fault)));
            let report = rig.run(&full()).await?;
            let when =
                format!("{fault:?} from request {k} on, in a {} sync", if again { "full" } else { "first" });
            let Some(error) = first_error(&report) else {
                return Err(Failure::new(format!("nobody was told: {:?}", report.totals())).when(when));
            };
            if kind.is_some_and(|kind| kind != error.kind) {
                let text = format!("told as {}: {}", error.kind, error.message);
                return Err(Failure::new(text).when(when));
            }
            let counts = report.totals();
            if counts.deleted > 0 || counts.held > 0 || again && rig.stored().live() != stored.live() {
                return Err(Failure::new(format!("it changed what is stored: {counts:?}")).when(when));
            }
            let vain = rig.server.request_count() - sent;
            let lists = rig.partitions().await?.len().max(1) as u64;
            if vain >= k + TRIES * lists {
                return Err(Failure::new(format!("{vain} requests were sent")).when(when));
            }
            rig.faults(None);
            rig.sync_full().await.map_err(|f| f.when(format!("once it was over: {when}")))?;
            rig.equals_truth().map_err(|f| f.when(format!("once it was over: {when}")))?;
        }
    }
    Ok(Outcome::Passed)
}

pub(super) fn first_error(report: &Report) -> Option<&ErrorReport> {
    report.streams.iter().find_map(|stream| stream.error.as_ref())
}

/// A host that nobody should talk to.
struct Elsewhere;

impl Simulator for Elsewhere {
    fn handle(&self, _: &SimRequest) -> SimResponse {
        SimResponse::json(200, &serde_json::json!([]))
    }
}
