//! Command lines that can be copied into a shell.

use std::borrow::Cow;

/// This program as a shell finds it from here: its name if that leads to it, else where it lies.
pub(crate) fn program() -> String {
    let name = "lifehub";
    let Ok(own) = std::env::current_exe().and_then(|own| own.canonicalize()) else { return name.into() };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut named =
        std::env::split_paths(&path).map(|folder| folder.join(name)).filter(|file| file.is_file());
    if named.next().is_some_and(|first| first.canonicalize().is_ok_and(|first| first == own)) {
        return name.into();
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let below = here.ok().and_then(|here| own.strip_prefix(here).ok().map(ToOwned::to_owned));
    word(&below.filter(|below| below.components().count() > 1).unwrap_or(own).display().to_string())
        .into_owned()
}

/// A text as one word of a command line.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_out_of_a_shell_as_they_went_in() {
        for text in ["", "plain/path-1.0:8080=@x", "a b", "it's", "$HOME", "a\"b", "~", "a;b", "*", "ä", "\\"]
        {
            let script = format!("printf %s {}", word(text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
