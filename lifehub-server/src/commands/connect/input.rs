//! What was typed, made into settings and credentials. Names are checked before values, so that nobody is asked for a
//! token in vain.

use lifehub_core::Result;
use lifehub_core::connector::{Manifest, SettingsSchema};
use lifehub_core::secret::{Credentials, Secret};
use serde_json::Value;

use crate::credentials::Names;
use crate::failure::wrong;

/// What a connection is made of.
pub(super) struct Input {
    pub(super) settings: Value,
    /// The credentials, with the settings that are secret.
    pub(super) credentials: Credentials,
    /// Whether the user is to be asked for a consent, as no token was given.
    pub(super) by_consent: bool,
}

/// Reads what was typed. Settings that a connection has already are `kept` where no others are given.
pub(super) fn read(
    manifest: &Manifest,
    settings: Vec<String>,
    secrets: Vec<String>,
    kept: Option<(Value, Credentials)>,
) -> Result<Input> {
    let names = Names::of(manifest);
    let mut pairs = pairs(manifest, settings)?;
    let given = names.parse(secrets)?;
    let by_consent = manifest.auth.oauth.is_some() && given.iter().all(|one| names.is_setting(&one.name));
    if !by_consent {
        names.complete(&given)?;
    }
    let has_secret_setting = given.iter().any(|one| names.is_setting(&one.name));
    let kept = kept.filter(|_| pairs.is_empty() && !has_secret_setting);
    if kept.is_none() && !has_secret_setting {
        from_pairs(manifest, &pairs)?;
    }
    let mut credentials = Credentials::none();
    for one in given {
        let name = one.name.clone();
        let secret = one.read()?;
        if names.is_setting(&name) {
            pairs.push((name, secret));
        } else {
            credentials = credentials.with(name, secret);
        }
    }
    let (settings, credentials) = match kept {
        Some((settings, old)) => (settings, SettingsSchema::keep_sealed(&old, credentials)),
        None => {
            let mut settings = from_pairs(manifest, &pairs)?;
            make_absolute(manifest, &mut settings)?;
            let credentials = manifest.settings.seal(&mut settings, credentials);
            (settings, credentials)
        }
    };
    Ok(Input { settings, credentials, by_consent })
}

/// Settings as they were typed. Any of them may be secret, whichever way it came.
type Pairs = Vec<(String, Secret)>;

fn pairs(manifest: &Manifest, settings: Vec<String>) -> Result<Pairs> {
    let mut pairs = Pairs::new();
    for setting in settings {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(wrong("--set takes NAME=VALUE")
                .hint(format!("`lifehub connectors show {}` lists the settings", manifest.id)));
        };
        if manifest.auth.fields.iter().any(|field| field.name == name) {
            return Err(wrong(format!("{name} is a credential, not a setting"))
                .hint(format!("write --secret {name}=@FILE, or --secret {name} to be asked for it")));
        }
        if pairs.iter().any(|(other, _)| other == name) {
            return Err(wrong(format!("the setting {name} is given twice")));
        }
        pairs.push((name.to_owned(), Secret::new(value)));
    }
    Ok(pairs)
}

fn from_pairs(manifest: &Manifest, pairs: &Pairs) -> Result<Value> {
    manifest.settings.from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.expose())))
}

/// A sync may run in another directory than this command.
fn make_absolute(manifest: &Manifest, settings: &mut Value) -> Result<()> {
    for (name, value) in settings.as_object_mut().into_iter().flatten() {
        if let (true, Some(path)) = (manifest.settings.is_marked(name, "x-file"), value.as_str()) {
            let whole = std::path::absolute(path).ok().and_then(|path| path.to_str().map(str::to_owned));
            *value = Value::String(whole.ok_or_else(|| wrong(format!("the setting {name} names no file")))?);
        }
    }
    Ok(())
}
