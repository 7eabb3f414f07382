//! `lifehub connectors`: what can be connected, and what that takes.

use lifehub_core::connector::{CredentialField, Manifest, StreamSpec, SyncMode, Visibility};
use lifehub_core::http::{QuotaScope, QuotaSpec, Window};
use serde_json::Value;

use crate::app::App;
use crate::cli::ConnectorsCommand;
use crate::failure::{Exit, Outcome};
use crate::table::{Table, grouped};

pub(crate) fn run(app: &App, command: ConnectorsCommand) -> Outcome {
    match command {
        ConnectorsCommand::List(args) if args.json => {
            app.out.json(&app.registry.manifests().collect::<Vec<_>>())?;
        }
        ConnectorsCommand::List(_) => {
            let mut table = Table::new(&["ID", "NAME", "AUTH", "STREAMS", "ABOUT"]);
            for manifest in app.registry.manifests() {
                let streams: Vec<_> = manifest.streams.iter().map(|stream| stream.name).collect();
                table.row([
                    manifest.id.to_owned(),
                    manifest.title.to_owned(),
                    manifest.auth.kind.to_string(),
                    streams.join(", "),
                    manifest.about.to_owned(),
                ]);
            }
            app.out.print(&table.to_string())?;
        }
        ConnectorsCommand::Show { id, json } => {
            let manifest = app.registry.get(&id)?.manifest();
            if json.json {
                app.out.json(manifest)?;
            } else {
                app.out.print(&shown(manifest))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn shown(manifest: &Manifest) -> String {
    let mut parts = vec![
        format!("{} ({})\n{}\n{}", manifest.title, manifest.id, manifest.about, manifest.docs),
        section("STREAMS", streams(manifest)),
        section(&format!("CREDENTIALS ({})", manifest.auth.kind), credentials(manifest)),
        section("SETTINGS", settings(manifest)),
        section("QUOTAS", quotas(manifest)),
        section("TERMS", terms(manifest)),
    ];
    let by_consent = manifest.auth.oauth.is_some();
    let required = manifest.auth.fields.iter().filter(|field| field.required && !by_consent);
    let secrets: String = required.map(|field| format!(" --secret {}", field.name)).collect();
    parts.push(format!("next: lifehub connect {} --user EMAIL{secrets}", manifest.id));
    parts.join("\n\n")
}

fn section(head: &str, lines: Vec<String>) -> String {
    let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
    format!("{head}\n  {}", lines.join("\n").replace('\n', "\n  "))
}

fn streams(manifest: &Manifest) -> Vec<String> {
    let line = |stream: &StreamSpec| {
        let mut parts = vec![format!("{}: {} as {}", stream.name, stream.title, stream.datasets.join(", "))];
        let interval = span(stream.interval.as_secs());
        match stream.sync {
            SyncMode::Snapshot => parts.push(format!("everything every {interval}")),
            SyncMode::Incremental => {
                parts.push(format!("new every {interval}"));
                parts.push(format!("everything every {}", span(stream.full_every.as_secs())));
            }
        }
        if !stream.lookback.is_zero() {
            parts.push(format!("changes of the last {}", span(stream.lookback.as_secs())));
        }
        if !stream.scopes.is_empty() {
            parts.push(format!("needs {}", stream.scopes.join(" or ")));
        }
        parts.join(", ")
    };
    manifest.streams.iter().map(line).collect()
}

fn credentials(manifest: &Manifest) -> Vec<String> {
    let field =
        |field: &CredentialField| format!("{}: {}, {}", field.name, field.title, need(field.required));
    let consent = manifest.auth.oauth.as_ref().map(|oauth| {
        let days = oauth.consent_life.map(|life| format!(" ({} days)", life.as_secs() / 86_400));
        let scopes = oauth.scopes.join(", ");
        format!("a consent in the browser{} to {scopes}, or", days.unwrap_or_default())
    });
    consent.into_iter().chain(manifest.auth.fields.iter().map(field)).collect()
}

fn need(required: bool) -> &'static str {
    if required { "required" } else { "optional" }
}

fn settings(manifest: &Manifest) -> Vec<String> {
    let schema = manifest.settings.schema();
    let required = schema.get("required").and_then(Value::as_array);
    let line = |name: String| {
        let member = schema.get("properties").and_then(|all| all.get(&name));
        let text = |key| member.and_then(|member| member.get(key)?.as_str().map(str::to_owned));
        let is_required = required.is_some_and(|names| names.iter().any(|required| *required == name));
        let kind = match (
            manifest.settings.is_marked(&name, "x-secret"),
            manifest.settings.is_marked(&name, "x-file"),
        ) {
            (true, _) => "secret".to_owned(),
            (_, true) => "file".to_owned(),
            _ => text("type").unwrap_or_else(|| "value".into()),
        };
        let about = text("description").unwrap_or_default().replace('\n', " ");
        let default = member.and_then(|member| member.get("default")).filter(|default| !default.is_null());
        let default = default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
        format!("{name} ({kind}, {}): {about}{default}", need(is_required))
    };
    manifest.settings.members().into_iter().map(line).collect()
}

fn quotas(manifest: &Manifest) -> Vec<String> {
    let line = |quota: &QuotaSpec| {
        let window = match quota.window {
            Window::Fixed { every } => format!("in every {} of the clock", span(every.as_secs())),
            Window::Sliding { per, .. } => format!("in any {}", span(per.as_secs())),
            _ => "in a window of its own".to_owned(),
        };
        let scope = match quota.scope {
            QuotaScope::Connection => "for each connection",
            _ => "for all connections together",
        };
        let path = quota.path.as_deref().map(|path| format!(", below {path}")).unwrap_or_default();
        format!("{}: {} requests {window}, {scope}{path}", quota.name, grouped(quota.limit.into()))
    };
    manifest.quotas.iter().map(line).collect()
}

fn terms(manifest: &Manifest) -> Vec<String> {
    let terms = &manifest.terms;
    let may = |allowed| if allowed { "may" } else { "may not" };
    let visible = match terms.visible_to {
        Visibility::OwnerOnly => "visible to its owner alone",
        Visibility::OwnersChoice => "visible to whomever its owner lets",
    };
    let withdrawal = if terms.delete_on_withdrawal { "deleted" } else { "kept" };
    let mut lines = vec![
        visible.to_owned(),
        format!("language models {} read it", may(terms.language_models)),
        format!("{withdrawal} when the user withdraws"),
    ];
    lines.extend(terms.attribution.map(|text| format!("to be shown with it: {text}")));
    lines.push(terms.url.to_owned());
    lines
}

/// `15 min`, `7 days`.
fn span(seconds: u64) -> String {
    match seconds {
        s if s > 0 && s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s > 0 && s % 3600 == 0 => format!("{} h", s / 3600),
        s if s > 0 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}
