//! `lifehub user`: who owns data here.

use lifehub_core::clock::Zone;
use lifehub_core::{Error, Result};
use lifehub_store::{Store, User};

use crate::app::App;
use crate::cli::UserCommand;
use crate::failure::{Exit, Outcome, wrong};
use crate::table::Table;

pub(crate) async fn run(app: &App, command: UserCommand) -> Outcome {
    match command {
        UserCommand::Add { email, zone } => add(app, &email, zone.as_deref()).await,
        UserCommand::List(args) => list(app, args.json).await,
        UserCommand::Zone { email, zone } => set_zone(app, &email, &zone).await,
    }
}

async fn add(app: &App, email: &str, zone: Option<&str>) -> Outcome {
    let email = address(email)?;
    let zone = zone.map_or_else(|| Ok(Zone::system()), str::parse)?;
    let store = app.place.open_or_make().await?;
    if store.user_by_email(email).await?.is_some() {
        return Err(wrong("there is a user of that e-mail address already")
            .hint("to change the time zone: lifehub user zone EMAIL ZONE")
            .into());
    }
    store.create_user(email, &zone).await?;
    store.close().await?;
    app.out.print(&format!("added {email} in the time zone {zone}"))?;
    Ok(Exit::Done)
}

async fn list(app: &App, json: bool) -> Outcome {
    let users = match app.place.open_existing().await? {
        Some(store) => {
            let users = store.users().await?;
            store.close().await?;
            users
        }
        None => Vec::new(),
    };
    if json {
        app.out.json(&users)?;
    } else if users.is_empty() {
        app.out.note("there are no users");
        app.out.hint("add one with `lifehub user add EMAIL`, or with the first `lifehub connect`");
    } else {
        let mut table = Table::new(&["E-MAIL", "ZONE", "SINCE"]);
        for user in users {
            table.row([user.email, user.zone.to_string(), user.created_at.to_string()]);
        }
        app.out.print(&table.to_string())?;
    }
    Ok(Exit::Done)
}

async fn set_zone(app: &App, email: &str, zone: &str) -> Outcome {
    let zone: Zone = zone.parse()?;
    let store = app.place.open_to_read().await?;
    let user = named(&store, email).await?;
    store.set_zone(user.id, &zone).await?;
    store.close().await?;
    app.out.print(&format!(
        "{} lives in {zone} now; records without a time zone of their own count on its days",
        user.email
    ))?;
    Ok(Exit::Done)
}

/// The user of that address.
///
/// # Errors
/// If there is none.
pub(super) async fn named(store: &Store, email: &str) -> Result<User> {
    let found = store.user_by_email(email).await?;
    found.ok_or_else(|| {
        wrong("there is no user of that e-mail address").hint("`lifehub user list` lists them")
    })
}

/// Takes an e-mail address that may be one: a name, one `@` and a host. Only a mail that arrives proves more.
///
/// # Errors
/// If it is none.
pub(super) fn address(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    let parts = text.rsplit_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let one_word = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let host_is_plain = parts.is_some_and(|(name, host)| {
        !name.contains('@') && !host.starts_with('.') && !host.ends_with('.') && !host.contains("..")
    });
    // RFC 5321 leaves no room for a longer one.
    if one_word && host_is_plain && text.len() <= 254 {
        return Ok(text);
    }
    Err(wrong("that is no e-mail address").hint("write it as name@example.org"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b", " ada@example.org\n", "a.b+c@mail.example.org", "ä@müller.example"] {
            assert_eq!(address(good).unwrap(), good.trim());
        }
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in
            ["", "a", "@b", "a@", "a b@c", "a@b c", "a@b@c", "a@.b", "a@b..c", "a@b.", "a\u{7}@b", &long]
        {
            assert!(address(bad).is_err(), "{bad:?}");
        }
    }
}
