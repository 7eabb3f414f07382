//! The credentials of a new connection, from the command line, files, standard input or a prompt. Nothing of a value
//! is ever repeated, nor what may be a value that lost its name.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use lifehub_core::clock::Timestamp;
use lifehub_core::connector::Manifest;
use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};

use crate::failure::wrong;
use crate::prompt;

/// No credential is longer than this, in bytes. It keeps a mistyped path from filling the memory.
const LONGEST: u64 = 1 << 20;

/// One `--secret`: a name, and where its value is.
pub(crate) struct Given {
    pub(crate) name: String,
    source: Source,
}

enum Source {
    Argument(Secret),
    File(PathBuf),
    Stdin,
    Prompt { title: String },
}

/// What a name may stand for.
pub(crate) struct Names<'a>(&'a Manifest);

impl<'a> Names<'a> {
    /// The names that a provider knows.
    pub(crate) fn of(manifest: &'a Manifest) -> Self {
        Self(manifest)
    }

    /// The names of the credentials, and of those settings that are secret.
    fn known(&self) -> Vec<String> {
        let fields = self.0.auth.fields.iter().map(|field| field.name.to_owned());
        fields.chain(self.0.settings.members().into_iter().filter(|name| self.is_setting(name))).collect()
    }

    /// Whether it is a setting that is marked secret.
    pub(crate) fn is_setting(&self, name: &str) -> bool {
        self.0.settings.is_marked(name, "x-secret")
    }

    fn title(&self, name: &str) -> String {
        let field = self.0.auth.fields.iter().find(|field| field.name == name);
        field.map_or_else(|| name.to_owned(), |field| field.title.to_owned())
    }

    /// Reads the `--secret` arguments: every name is known and given once.
    ///
    /// # Errors
    /// Naming what exists and how to give it.
    pub(crate) fn parse(&self, arguments: Vec<String>) -> Result<Vec<Given>> {
        let mut given: Vec<Given> = Vec::new();
        for argument in arguments {
            let one = self.one(&argument)?;
            if given.iter().any(|other| other.name == one.name) {
                return Err(wrong(format!("the credential {} is given twice", one.name)));
            }
            if matches!(one.source, Source::Stdin) && given.iter().any(|o| matches!(o.source, Source::Stdin))
            {
                return Err(wrong("only one credential can come from standard input")
                    .hint("give the others as NAME=@FILE"));
            }
            given.push(one);
        }
        // Questions come last: what else is wrong is known before anybody is asked.
        given.sort_by_key(|given| matches!(given.source, Source::Prompt { .. }));
        Ok(given)
    }

    /// Checks that none of the credentials that are required is missing.
    ///
    /// # Errors
    /// Naming the first that is, and how to give it.
    pub(crate) fn complete(&self, given: &[Given]) -> Result<()> {
        let has = |name: &str| given.iter().any(|given| given.name == name);
        match self.0.auth.fields.iter().find(|field| field.required && !has(field.name)) {
            Some(missing) => Err(wrong(format!("{} needs the credential {}", self.0.title, missing.name))
                .hint(format!(
                    "add --secret {0} to be asked for it, or --secret {0}=@FILE, or --secret {0}=- for standard input",
                    missing.name
                ))),
            None => Ok(()),
        }
    }

    fn one(&self, argument: &str) -> Result<Given> {
        let (name, value) =
            argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value)));
        let known = self.known();
        if !known.iter().any(|k| k == name) {
            // Base64 may end in `=`: what stands before nothing but that may be a secret without its name.
            let is_name = !name.is_empty() && value.is_some_and(|value| !value.trim_matches('=').is_empty());
            return Err(self.unknown(is_name.then_some(name), &known));
        }
        let source = match value {
            None => Source::Prompt { title: self.title(name) },
            Some("-") => Source::Stdin,
            Some(value) => match value.strip_prefix('@') {
                Some(path) => Source::File(path.into()),
                None => Source::Argument(Secret::new(value)),
            },
        };
        Ok(Given { name: name.into(), source })
    }

    fn unknown(&self, name: Option<&str>, known: &[String]) -> Error {
        let name = name.map(|name| format!(" {name:?}")).unwrap_or_default();
        wrong(format!("{} has no credential{name}", self.0.title)).hint(match known {
            [] => "this provider takes no credentials: leave out --secret".to_owned(),
            _ => format!("its credentials are: {}; write --secret NAME=@FILE", known.join(", ")),
        })
    }
}

impl Given {
    /// Fetches the value.
    ///
    /// # Errors
    /// If there is none, or it cannot be one.
    pub(crate) fn read(self) -> Result<Secret> {
        let name = &self.name;
        let secret = match self.source {
            Source::Argument(secret) => secret,
            Source::File(path) => from_file(name, &path)?,
            Source::Stdin => text(name, "standard input", std::io::stdin().lock())?,
            Source::Prompt { title } => ask(name, &title)?,
        };
        if secret.expose().trim().is_empty() {
            return Err(wrong(format!("the credential {name} is empty")));
        }
        if name == "expires_at" && secret.expose().parse::<Timestamp>().is_err() {
            return Err(wrong("the credential expires_at is not an instant")
                .hint("write it as RFC 3339, for example 2026-03-01T08:00:00Z"));
        }
        Ok(secret)
    }
}

fn from_file(name: &str, path: &Path) -> Result<Secret> {
    let file = std::fs::File::open(path).map_err(|e| {
        wrong(format!("the file of the credential {name} cannot be read: {}", e.kind()))
            .hint("behind @ stands the path of a file; a value that begins with @ can come from a file or standard input")
    })?;
    text(name, "the file", file)
}

/// All of a source, without the line end that editors and `echo` put behind it.
fn text(name: &str, from: &str, source: impl Read) -> Result<Secret> {
    let mut text = String::new();
    let read = source.take(LONGEST + 1).read_to_string(&mut text);
    let long = text.len() as u64 > LONGEST;
    // Wiped when it is dropped, whatever follows.
    let secret = Secret::new(text);
    if long {
        return Err(wrong(format!("{from} is too long for the credential {name}")));
    }
    match read {
        Ok(_) => {
            let text = secret.expose();
            let text = text.strip_suffix('\n').unwrap_or(text);
            Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
        }
        Err(e) => Err(wrong(format!("{from} of the credential {name} cannot be read: {}", e.kind()))),
    }
}

fn ask(name: &str, title: &str) -> Result<Secret> {
    let ways = format!("give it as --secret {name}=@FILE, or --secret {name}=- for standard input");
    if !std::io::stdin().is_terminal() {
        let text = format!("the credential {name} has no value, and there is no terminal to ask for it");
        return Err(wrong(text).hint(ways));
    }
    prompt::secret(title).map_err(|e| if e.kind() == ErrorKind::Cancelled { e } else { e.hint(ways) })
}
