//! `lifehub demo`: two made-up years from every simulated provider, in a database of this machine.

mod clock;
mod told;
mod world;

use std::sync::Arc;

use lifehub_core::clock::Clock;
use lifehub_core::engine::{Connection, Engine, Operator, QuotaSetting, SyncOptions};
use lifehub_core::record::UserId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_store::{NewConnection, Store, User};
use lifehub_testkit::oauth::agree;
use lifehub_testkit::{Place, Server};
use serde::Serialize;

use super::runs::{self, Task};
use super::simulate::{EMAIL, Simulated, simulations};
use crate::app::App;
use crate::cli::DemoArgs;
use crate::failure::{Outcome, wrong};
use crate::network;
use crate::report::Summary;
use crate::signals::Stopper;
use clock::WorldClock;
use world::{Held, World};

/// The account of every connection that a demo makes. It is not asked of the provider: a simulated one may be known by
/// its address, which is another at each start, and the connection is to stay the same.
const ACCOUNT: &str = "demo";

/// The report of a sync, and how to look at what it brought.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    demo: Access<'a>,
}

#[derive(Serialize)]
struct Access<'a> {
    data_dir: String,
    email: &'a str,
    password: String,
    /// Where the dashboard is served; nothing serves one yet.
    url: Option<String>,
}

pub(crate) async fn run(app: &App, args: DemoArgs) -> Outcome {
    let (held, store) = enter(app).await?;
    let stopper = Stopper::listen(&app.out);
    let clock: Arc<dyn Clock> = Arc::new(WorldClock::from(held.world.instant));
    let simulated = serve(app, held.world, &clock)?;
    let user = user(&store).await?;
    let operator = operator(app, &simulated)?;
    let engine = Engine::builder(app.registry.clone(), Arc::new(store.clone()), network::local()?)
        .clock(clock)
        .operator(operator)
        .build();
    let connections = connect(app, &engine, &store, user, &simulated).await?;
    let mut options = SyncOptions::default();
    options.cancel = stopper.cancel();
    let summary = runs::each(app, &Ok(engine), &store, Task::Sync, &connections, &options).await;
    for connection in &connections {
        store.disconnect(connection.id).await?;
    }
    let stored = told::stored(&store, user).await?;
    runs::close(app, &store).await;
    let printed = if args.json.json {
        let demo = Access {
            data_dir: app.place.dir().display().to_string(),
            email: EMAIL,
            password: held.world.password(),
            url: None,
        };
        app.out.json(&Document { summary: &summary, demo })
    } else {
        app.out.print(&told::text(app, held.world, &stored, &summary))
    };
    runs::end(app, &stopper, &summary, printed)
}

/// Takes hold of the configured database, if it is empty or holds a demo. One that does not is left as it is.
async fn enter(app: &App) -> Result<(Held, Store)> {
    let (place, dir) = (&app.place, app.place.dir());
    let existing = place.open_existing().await?;
    let users = match &existing {
        Some(store) => store.users().await?,
        None => Vec::new(),
    };
    // Looked for after the users: another demo makes it before its user.
    if !dir.join(world::FILE).exists() {
        if !users.is_empty() {
            return Err(refused(app));
        }
        place.make_dir()?;
        world::make(dir)?;
    }
    let held = world::hold(&app.out, dir).await?;
    let store = match existing {
        Some(store) => store,
        None => place.open_or_make().await?,
    };
    let is_demo = |user: &User| user.email.eq_ignore_ascii_case(EMAIL);
    if store.users().await?.iter().all(is_demo) { Ok((held, store)) } else { Err(refused(app)) }
}

fn refused(app: &App) -> Error {
    let error = wrong("the database holds other data than a demo's, and was left as it is");
    let error = match app.place.database() {
        Some(path) => error.with("database", path.display()),
        None => match app.place.server() {
            Some(server) => error.with("database", server),
            None => error,
        },
    };
    error.hint("name an empty directory for the demo: lifehub demo --data-dir DIR")
}

/// Starts the simulated providers that the operator has not switched off.
fn serve(app: &App, world: World, clock: &Arc<dyn Clock>) -> Result<Vec<Simulated>> {
    let mut simulated = Vec::new();
    for simulation in simulations(&[])? {
        if runs::is_on(app, simulation.id) {
            simulated.push(simulation.start(&world.setup(), Server::builder().clock(clock.clone()))?);
        }
    }
    Ok(simulated)
}

/// The demo's user, who lives where the simulated people do.
async fn user(store: &Store) -> Result<UserId> {
    match store.user_by_email(EMAIL).await? {
        Some(user) => Ok(user.id),
        None => store.create_user(EMAIL, &Place::Rome.zone().parse()?).await,
    }
}

/// Connects every account, those with a consent page by the code flow, or renews its connection with the address of today. Each is ended with the simulated
/// providers: a sync later on would carry made-up tokens to the real ones, and bring real weather among the made-up.
async fn connect(
    app: &App,
    engine: &Engine,
    store: &Store,
    user: UserId,
    simulated: &[Simulated],
) -> Result<Vec<Connection>> {
    let mut connections = Vec::new();
    for Simulated { id, access, .. } in simulated {
        let manifest = app.registry.get(id)?.manifest();
        let mut settings = access.settings.clone();
        let credentials = match &access.oauth {
            Some(_) => {
                let authorized = agree(&engine.oauth(id)?, id, user).await?;
                authorized.tokens.into_credentials(&Credentials::none())
            }
            None => access.credentials.clone(),
        };
        let credentials = manifest.settings.seal(&mut settings, credentials);
        let account = Some(ACCOUNT.to_owned());
        let new = NewConnection { account, settings, ..NewConnection::new(user, *id, credentials) };
        let (id, _) = store.connect(new).await?;
        connections.push(store.connection(id).await?.connection);
    }
    Ok(connections)
}

/// What the operator set, with the addresses of the simulated providers. Their quotas are off: the demo's clock starts
/// anew each time, and would find the same window more and more spent.
fn operator(app: &App, simulated: &[Simulated]) -> Result<Operator> {
    let configured = &app.configuration.operator;
    simulated.iter().try_fold(configured.clone(), |operator, Simulated { id, access, .. }| {
        let mut settings = configured.of(id);
        // Without it, the real provider would be asked.
        let none =
            |_| Error::new(ErrorKind::Internal, format!("the simulated {id} names an address that is none"));
        let url = |text: &str| text.parse().map_err(none);
        settings.base_url = access.base_url.as_deref().map(url).transpose()?;
        if let Some(app) = &access.oauth {
            settings.client_id = Some(app.client_id.clone());
            settings.client_secret = app.client_secret.clone();
            settings.authorize_url = Some(url(&app.authorize_url)?);
            settings.token_url = Some(url(&app.token_url)?);
            settings.revoke_url = app.revoke_url.as_deref().map(url).transpose()?;
        }
        settings.quotas = Some(QuotaSetting::List(Vec::new()));
        Ok(operator.with(*id, settings))
    })
}
