//! Settings of a connection: declared once as a serde struct, checked before anything is stored.

use std::fmt;

use schemars::{JsonSchema, Schema};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::clock::Day;
use crate::error::{Error, ErrorKind, Result, json_fault};
use crate::secret::{Credentials, Secret};

/// The settings that a connector takes: their JSON Schema, and the check made from the same struct.
#[derive(Clone, Copy)]
pub struct SettingsSchema {
    schema: fn() -> Schema,
    check: fn(&Value) -> Result<()>,
}

/// What a sealed setting's name begins with among the credentials.
const SEALED: &str = "setting:";

impl SettingsSchema {
    /// Made from a struct with `#[serde(deny_unknown_fields)]`. A member with
    /// `#[schemars(extend("x-secret" = true))]` is sealed like a token; one with `"x-file"` names a local file.
    pub const fn of<T: DeserializeOwned + JsonSchema>() -> Self {
        Self { schema: || schemars::schema_for!(T), check: |value| read_settings::<T>(value).map(|_| ()) }
    }

    /// The JSON Schema.
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Checks settings as a user gave them.
    ///
    /// # Errors
    /// Naming the member at fault.
    pub fn check(&self, settings: &Value) -> Result<()> {
        (self.check)(settings)
    }

    /// Makes settings from `name=value` texts by the types that the schema declares.
    ///
    /// # Errors
    /// If a name is unknown (the known ones are listed) or a value is of another type.
    pub fn from_pairs<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Value> {
        let mut settings = Map::new();
        for (name, text) in pairs {
            let Some(member) = self.member(name) else {
                let known = self.members();
                return Err(Error::new(ErrorKind::Invalid, format!("there is no setting {name:?}")).hint(
                    if known.is_empty() {
                        "this provider has no settings".to_owned()
                    } else {
                        format!("its settings are: {}", known.join(", "))
                    },
                ));
            };
            // What is not text in the schema is written as JSON; a text needs no quotes.
            let is_text = types(&member).any(|t| t == "string");
            let value = match serde_json::from_str(text) {
                Ok(value) if !is_text => value,
                _ => Value::String(text.to_owned()),
            };
            settings.insert(name.to_owned(), value);
        }
        let settings = Value::Object(settings);
        self.check(&settings)?;
        Ok(settings)
    }

    /// Takes the members that are marked secret out of the settings and puts them among the credentials, to be sealed.
    pub fn seal(&self, settings: &mut Value, mut credentials: Credentials) -> Credentials {
        let Some(members) = settings.as_object_mut() else { return credentials };
        for name in self.members().into_iter().filter(|name| self.is_marked(name, "x-secret")) {
            if let Some(value) = members.remove(&name) {
                credentials = credentials.with(format!("{SEALED}{name}"), Secret::new(value.to_string()));
            }
        }
        credentials
    }

    /// Adds to new credentials the settings that are sealed among the old ones.
    pub fn keep_sealed(old: &Credentials, new: Credentials) -> Credentials {
        let sealed = old.names().filter(|name| name.starts_with(SEALED));
        let sealed = sealed.filter_map(|name| Some((name, old.get(name)?.clone())));
        sealed.fold(new, |all, (name, secret)| all.with(name, secret))
    }

    /// The settings together with their sealed members.
    pub(crate) fn unseal(settings: &Value, credentials: &Credentials) -> Value {
        let mut settings = settings.clone();
        if let Some(members) = settings.as_object_mut() {
            for name in credentials.names().filter_map(|name| name.strip_prefix(SEALED)) {
                let value =
                    credentials.get(&format!("{SEALED}{name}")).map(Secret::expose).unwrap_or_default();
                members.insert(name.to_owned(), serde_json::from_str(value).unwrap_or(Value::Null));
            }
        }
        settings
    }

    /// Whether a member of the settings bears a mark, `x-secret` or `x-file`.
    pub fn is_marked(&self, name: &str, mark: &str) -> bool {
        self.member(name).and_then(|member| member.get(mark)?.as_bool()).unwrap_or(false)
    }

    fn member(&self, name: &str) -> Option<Value> {
        self.schema().get("properties")?.get(name).cloned()
    }

    /// The names of all settings.
    pub fn members(&self) -> Vec<String> {
        let schema = self.schema();
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.map(|all| all.keys().cloned().collect()).unwrap_or_default()
    }
}

/// Reads settings into a connector's own struct.
///
/// # Errors
/// If they are not of this shape, naming the member at fault.
pub fn read_settings<T: DeserializeOwned>(settings: &Value) -> Result<T> {
    T::deserialize(settings).map_err(|e| {
        Error::new(ErrorKind::Invalid, format!("the settings are not valid: {}", json_fault(&e)))
            .hint("`lifehub connectors show PROVIDER` lists the settings and their types")
    })
}

/// Reads a setting that is the first day to read, unless it lies before this year: a slip of the pen would have centuries
/// asked for.
///
/// ```
/// # use lifehub_core::{clock::Day, connector::first_day};
/// #[derive(serde::Deserialize)]
/// struct Settings {
///     #[serde(default, deserialize_with = "first_day::<2020, _>")]
///     start: Option<Day>,
/// }
/// let read = |text| serde_json::from_str::<Settings>(text).map(|settings| settings.start);
/// assert!(read("{}").is_ok_and(|start| start.is_none()));
/// assert!(read(r#"{"start":"2020-01-01"}"#).is_ok_and(|start| start.is_some()));
/// let error = read(r#"{"start":"0202-01-01"}"#).unwrap_err();
/// assert!(error.to_string().starts_with("the first day lies before 2020-01-01"));
/// ```
///
/// # Errors
/// Also if it is no day.
pub fn first_day<'de, const YEAR: i16, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Day>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let day: Day = text.parse().map_err(|_| D::Error::custom("the first day is no day like 2026-03-01"))?;
    match Day::new(YEAR, 1, 1).is_ok_and(|oldest| day < oldest) {
        true => {
            Err(D::Error::custom(format!("the first day lies before {YEAR}-01-01, where there is nothing")))
        }
        false => Ok(Some(day)),
    }
}

fn types(member: &Value) -> impl Iterator<Item = &str> {
    let types = member.get("type");
    let one = types.and_then(Value::as_str);
    let several = types.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(several)
}

impl fmt::Debug for SettingsSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SettingsSchema").field(&self.members()).finish()
    }
}

impl Serialize for SettingsSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.schema().serialize(serializer)
    }
}

/// For connectors without settings.
pub const fn no_settings() -> SettingsSchema {
    /// This provider needs no settings.
    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct NoSettings {}
    SettingsSchema::of::<NoSettings>()
}
