//! One connector alone, in a loop of one's own: no store, no engine, no server. It prints each page's records.
//!
//! `cargo run -p pages` needs no account: the provider is a simulated Spotify on this machine. The lines that say
//! "Simulated" are those that a real program leaves out; all others it needs as they stand, whatever the connector.

use std::error::Error;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::TryStreamExt;
use lifehub_core::clock::Timestamp;
use lifehub_core::connector::{Connector, ConnectorExt, Context, FileAccess};
use lifehub_core::http::{ReqwestTransport, StaticCredentials};
use lifehub_core::page::{Item, Pass, PassKind, Place};
use lifehub_spotify::Spotify;
use lifehub_spotify::simulator::account;
use lifehub_testkit::{Server, Setup};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let now = Timestamp::from(SystemTime::now());
    // Simulated: a made-up listener, and where to reach them. A real program has a token from its user,
    // `Credentials::none().with("access_token", token)`, and `None` for the address, which the connector knows.
    let listener = account(&Setup::new(1, now).days(90).page(20));
    let server = Server::start(listener.clone())?;
    let access = listener.access(&server.url());
    let address = access.base_url.map(|url| url.parse()).transpose()?;
    let (settings, credentials) = (access.settings, access.credentials);

    let spotify = Spotify;
    let source = Arc::new(StaticCredentials::new(credentials.clone()));
    let http = spotify.http(Arc::new(ReqwestTransport::new()?), address, &settings, source)?.build()?;
    // Everything, from nothing. A live pass would say from when on, and begin with the cursor of the last page before.
    let pass = Pass { kind: PassKind::Full, from: None, to: now };
    let cx = Context::new(&http, &settings, &credentials, FileAccess::Denied, pass, now);

    let mut out = stdout();
    for stream in &spotify.manifest().streams {
        for partition in spotify.partitions(&cx, stream.name).await? {
            let at = Place { stream: stream.name, partition: &partition.id };
            let mut pages = std::pin::pin!(spotify.pages(&cx, at, None));
            while let Some(page) = pages.try_next().await? {
                writeln!(out, "{} {}: a page of {}", stream.name, partition.id, page.items.len())?;
                for item in page.items {
                    let Item::Put(item) = item else { continue };
                    for record in stream.normalizer.normalize(&item)? {
                        writeln!(out, "  {} {}", record.dataset(), record.body())?;
                    }
                }
            }
        }
    }
    Ok(())
}
