//! `lifehub simulate`: serves simulated providers, for authors of connectors and for tests of other programs.

mod provider;
pub(super) mod shell;

use std::collections::BTreeMap;
use std::time::Duration;

use lifehub_core::Result;
use lifehub_core::clock::{Clock, SystemClock, Timestamp};
use lifehub_core::connector::Manifest;
use lifehub_core::secret::Secret;
use lifehub_testkit::{FaultPlan, OAuthAccess, Server, Setup};
use serde::Serialize;
use serde_json::Value;

pub(super) use provider::{Simulated, simulations};

use crate::app::App;
use crate::cli::SimulateArgs;
use crate::failure::{Exit, Outcome, wrong};
use crate::signals;

/// The made-up user.
pub(super) const EMAIL: &str = "demo@example.org";

/// Where the commands that are shown keep their data, so that it gets among no person's.
const DATA_DIR: &str = "simulated";

/// One simulated provider, for programs. Its credentials are made up and open nothing else.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    url: &'a str,
    base_url: Option<&'a str>,
    credentials: BTreeMap<&'a str, &'a str>,
    settings: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth: Option<BTreeMap<&'a str, &'a str>>,
}

pub(crate) async fn run(app: &App, args: SimulateArgs) -> Outcome {
    let at = args.at.unwrap_or_else(|| Timestamp::from_seconds(SystemClock::default().now().as_seconds()));
    let simulated = start(&args, at)?;
    if args.json.json {
        app.out.json(&simulated.iter().map(entry).collect::<Vec<_>>())?;
    } else {
        app.out.print(&text(app, &args, at, &simulated)?)?;
    }
    Ok(Exit::Stopped(signals::next().await))
}

fn start(args: &SimulateArgs, at: Timestamp) -> Result<Vec<Simulated>> {
    let mut setup = Setup::new(args.seed, at);
    setup.items = args.items;
    let faults = match args.fault {
        Some(rate) => FaultPlan::share(args.fault_seed.unwrap_or(args.seed), rate),
        None => FaultPlan::none(),
    };
    let latency = Duration::from_millis(args.latency.into());
    let mut simulated = Vec::new();
    for (i, simulation) in (0u16..).zip(simulations(&args.providers)?) {
        let port = match args.port {
            0 => 0,
            first => first.checked_add(i).ok_or_else(|| {
                wrong("there are not enough ports from the one behind --port on").hint("name a lower one")
            })?,
        };
        let server = Server::builder().port(port).faults(faults.clone()).latency(latency);
        simulated.push(simulation.start(&setup, server)?);
    }
    Ok(simulated)
}

fn entry(simulated: &Simulated) -> Entry<'_> {
    let Simulated { id, url, access, .. } = simulated;
    Entry {
        id,
        url,
        base_url: access.base_url.as_deref(),
        credentials: credentials(simulated).collect(),
        settings: &access.settings,
        oauth: access.oauth.as_ref().map(|app| consent(app).collect()),
    }
}

/// The app by which a consent can be asked for, by the keys of the configuration.
fn consent(app: &OAuthAccess) -> impl Iterator<Item = (&str, &str)> {
    let keys = [
        ("client_id", Some(app.client_id.as_str())),
        ("client_secret", app.client_secret.as_ref().map(Secret::expose)),
        ("authorize_url", Some(app.authorize_url.as_str())),
        ("token_url", Some(app.token_url.as_str())),
        ("revoke_url", app.revoke_url.as_deref()),
    ];
    keys.into_iter().filter_map(|(key, value)| Some((key, value?)))
}

fn credentials(simulated: &Simulated) -> impl Iterator<Item = (&str, &str)> {
    let credentials = &simulated.access.credentials;
    credentials.names().map(|name| (name, credentials.get(name).map(Secret::expose).unwrap_or_default()))
}

/// What to type into another terminal.
fn text(app: &App, args: &SimulateArgs, at: Timestamp, simulated: &[Simulated]) -> Result<String> {
    let dir = match &app.configuration.data_dir {
        Some(_) => app.place.dir().display().to_string(),
        None => DATA_DIR.to_owned(),
    };
    let dir = shell::word(&dir);
    let program = shell::program();
    let mut lines = Vec::new();
    for one in simulated {
        let manifest = app.registry.get(one.id)?.manifest();
        lines.push(format!("# {} at {}", manifest.title, one.url));
        let id = one.id.replace('-', "_").to_ascii_uppercase();
        let base_url = one.access.base_url.as_deref().map(|url| ("base_url", url));
        let asked = one.access.oauth.as_ref().map(consent);
        lines.extend(base_url.into_iter().chain(asked.into_iter().flatten()).map(|(key, value)| {
            let key = key.to_ascii_uppercase();
            format!("export LIFEHUB_PROVIDERS__{id}__{key}={}", shell::word(value))
        }));
        let connect = format!("{program} connect {} --user {EMAIL} --data-dir {dir}", one.id);
        if one.access.oauth.is_some() {
            lines.push(format!("# by a consent in the browser: {connect}"));
        }
        lines.push(format!("{connect}{}", inputs(manifest, one)));
        lines.push(String::new());
    }
    lines.push("# then".into());
    lines.push(format!("{program} sync --all --data-dir {dir}"));
    lines.push(String::new());
    let items = args.items.map(|items| format!(" --items {items}")).unwrap_or_default();
    lines.push(format!("# serving until Ctrl-C; the same data again: --seed {} --at {at}{items}", args.seed));
    Ok(lines.join("\n"))
}

/// The flags that hand over credentials and settings.
fn inputs(manifest: &Manifest, simulated: &Simulated) -> String {
    let mut flags = String::new();
    let mut flag = |name: &str, pair: String| flags.push_str(&format!(" --{name} {}", shell::word(&pair)));
    for (name, value) in simulated.access.settings.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let kind = if manifest.settings.is_marked(name, "x-secret") { "secret" } else { "set" };
        flag(kind, format!("{name}={value}"));
    }
    for (name, value) in credentials(simulated) {
        flag("secret", format!("{name}={value}"));
    }
    flags
}
