//! `lifehub keys`: the master key.

use lifehub_store::Rotation;
use serde::Serialize;

use crate::app::App;
use crate::cli::KeysCommand;
use crate::failure::{Exit, Outcome};
use crate::progress::Count;
use crate::table::grouped;

/// What a rotation came to, as JSON.
#[derive(Serialize)]
struct Told<'a> {
    rewrapped: u64,
    key: &'a str,
}

pub(crate) async fn run(app: &App, command: KeysCommand) -> Outcome {
    let KeysCommand::Rotate(args) = command;
    let store = app.place.open_to_read().await?;
    let rotated = {
        let mut shown = Count::new(&app.out, "rotating the master key");
        store.rotate_keys(|done, all| shown.show(done, all)).await
    };
    store.close().await?;
    let Rotation { rewrapped, key, .. } = rotated?;
    if args.json {
        app.out.json(&Told { rewrapped, key: &key })?;
    } else {
        let credentials = match rewrapped {
            1 => "the credentials of 1 connection".to_owned(),
            n => format!("the credentials of {} connections", grouped(n)),
        };
        app.out.print(&format!("{credentials} came under the new key, {key}"))?;
    }
    app.out.hint(&match app.place.key_file() {
        Some(file) => format!(
            "back up the new key file, {}; keep the old one with the backups of the database from before",
            file.display()
        ),
        None => {
            "everything opens with the first of the keys now: the others can be dropped; keep them with the \
                 backups of the database from before"
                .to_owned()
        }
    });
    Ok(Exit::Done)
}
