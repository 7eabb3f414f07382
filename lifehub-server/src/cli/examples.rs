//! The examples below each command's help.

pub(super) const TOP: &str = "\
EXAMPLES:
  lifehub connectors list                                  which providers there are
  lifehub connect strava --user me@example.org
  lifehub sync --all                                       fetch what is new
  lifehub export --user me@example.org --out records.jsonl

CONFIGURATION:
  lifehub.toml, then environment variables, then flags. Keys: data_dir, database_url, master_key,
  log, lease, providers.<ID>.<KEY>. In the environment LIFEHUB_ stands before a key and __ between its
  parts, and a dash in a provider's id is written _:
  LIFEHUB_DATA_DIR, LIFEHUB_PROVIDERS__STRAVA__BASE_URL.

EXIT CODES:
  0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C, 143 stopped by SIGTERM";

#[cfg(feature = "simulator")]
pub(super) const DEMO: &str = "\
EXAMPLES:
  lifehub demo
  lifehub demo --data-dir demo                             in a directory of its own
  lifehub demo --once --json                               the report of the sync as JSON
  lifehub export --data-dir demo | head -n 3               what it stored there

Simulated providers on this machine are connected and synced into the configured database, if it is
empty or holds a demo; any other is left as it is. The file demo.json beside it holds the seed and
the instant of the made-up world: a second demo finds nothing new, also on another day. One that
was stopped goes on the next time. The accounts are connected only while it runs, so that no sync
asks a real provider for them.

There is no dashboard yet: look at the data with the other commands.";

#[cfg(feature = "simulator")]
pub(super) const SIMULATE: &str = "\
EXAMPLES:
  lifehub simulate                                         all providers, until Ctrl-C
  lifehub simulate strava --port 8089
  lifehub simulate strava --items 20000 --latency 80 --fault 0.05 --fault-seed 7
  lifehub simulate --seed 7 --at 2026-03-01T08:00:00Z --json

Prints how to connect to each in another terminal: the variable that sets its address, and the
command with its credentials, which are made up. With --json these are one document: a list of
{id, url, base_url, credentials, settings, oauth}. The same seed, instant and number of items give the
same data, byte by byte. A failure is a refusal (429, 500, 503), a reset, a cut or wrong body, or
a delay; no request fails more than three times in a row.";

pub(super) const CONNECT: &str = "\
EXAMPLES:
  lifehub connectors show strava                           which credentials and settings it needs
  lifehub connect strava --user me@example.org             by a consent in the browser
  lifehub connect strava --connection 0198c7a2-5b1e-7c3d-9f00-1a2b3c4d5e6f
  lifehub connect strava --user me@example.org --secret access_token
                                                           asks for the token, without echo
  lifehub connect strava --user me@example.org --secret access_token=@token.txt
  pass show strava | lifehub connect strava --user me@example.org --secret access_token=-
  lifehub connect strava --user me@example.org --secret access_token=@a --secret refresh_token=@r \\
      --secret expires_at=2026-03-01T08:00:00Z

Where the provider has OAuth 2.0 and no token is given, it prints an address: open it in a browser on
this machine and agree. That takes an app of yours at the provider: register one and set
providers.<ID>.client_id and .client_secret. The browser comes back to
http://127.0.0.1:PORT/oauth/<ID>/callback; name a PORT with --port if the provider wants that address
registered, or if you forward it from another machine (ssh -L PORT:127.0.0.1:PORT HOST).

--secret NAME=VALUE works too, but then others on this machine can see the value in the list of
processes, and the shell keeps it in its history.

The provider is asked whose account it is, and nothing is saved if it refuses. Connecting an account
again renews its connection; its data stays. With --connection that one is renewed: another account
than its own is refused.";

pub(super) const DISCONNECT: &str = "\
EXAMPLES:
  lifehub disconnect 0198c7a2-5b1e-7c3d-9f00-1a2b3c4d5e6f
  lifehub disconnect 0198c7a2-5b1e-7c3d-9f00-1a2b3c4d5e6f --keep-consent

The provider is told that the consent has ended, and the credentials are deleted. All that was read
stays. If the provider cannot be told, it says so and ends the connection all the same. Connecting the
account again goes on where it stood.";

pub(super) const SYNC: &str = "\
EXAMPLES:
  lifehub sync --all
  lifehub sync --connection 0198c7a2-5b1e-7c3d-9f00-1a2b3c4d5e6f
  lifehub sync --connection 0198c7a2-5b1e-7c3d-9f00-1a2b3c4d5e6f --stream sleep
  lifehub sync --all --user me@example.org --json
  lifehub sync --all --full                                read everything again
  lifehub sync --all --accept-deletes                      accept deletes that were held back

Exits with 1 if any stream ended in an error. Ctrl-C lets the commit under way finish, prints the
report and exits with 130; the next run goes on there. A second Ctrl-C ends it at once.";

pub(super) const WORKER: &str = "\
EXAMPLES:
  lifehub worker
  lifehub worker --concurrency 2

Syncs every connection when it is due: the streams of each provider at their intervals, after errors
later and later. Any number of workers may share a database; each connection is worked on by one.
Says on standard error what became of each run. Where there is nothing to do yet, it waits.

Ctrl-C and SIGTERM let the pages under way be stored first; a second one ends it at once.

Keys: providers.<ID>.interval, and lease (default 30s): how long a connection rests after its worker's
machine died without a word.";

pub(super) const EXPORT: &str = "\
EXAMPLES:
  lifehub export --user me@example.org --out records.jsonl
  lifehub export | head -n 3
  lifehub export --deleted > everything.jsonl";

pub(super) const CONNECTIONS: &str = "\
EXAMPLES:
  lifehub connections
  lifehub connections --user me@example.org --json";

pub(super) const CONNECTORS: &str = "\
EXAMPLES:
  lifehub connectors list
  lifehub connectors show strava";

pub(super) const CONNECTORS_LIST: &str = "\
EXAMPLES:
  lifehub connectors list
  lifehub connectors list --json                           the manifests of all providers";

pub(super) const CONNECTORS_SHOW: &str = "\
EXAMPLES:
  lifehub connectors show strava
  lifehub connectors show strava --json                    its manifest";

pub(super) const USER: &str = "\
EXAMPLES:
  lifehub user add me@example.org --zone Europe/Rome
  lifehub user list";

pub(super) const USER_ADD: &str = "\
EXAMPLES:
  lifehub user add me@example.org
  lifehub user add me@example.org --zone Europe/Rome";

pub(super) const USER_LIST: &str = "\
EXAMPLES:
  lifehub user list
  lifehub user list --json";

pub(super) const USER_ZONE: &str = "\
EXAMPLES:
  lifehub user zone me@example.org America/New_York";

pub(super) const KEYS: &str = "\
EXAMPLES:
  lifehub keys rotate";

pub(super) const KEYS_ROTATE: &str = "\
EXAMPLES:
  lifehub keys rotate
  lifehub keys rotate --json                               the number of credentials and the key's name

Makes a new key and seals all credentials under it. Whatever runs meanwhile goes on, and need not be
started anew. It may be stopped or killed at any moment: run again, it goes on with the same key.

Back up the key file afterwards, and keep the old one with the backups of the database from before:
they open with no other.

Where the key is given as text, make a new one with `openssl rand -base64 32`, start everything with
LIFEHUB_MASTER_KEY=NEW,OLD, run this, and drop OLD.";

pub(super) const STORE: &str = "\
EXAMPLES:
  lifehub store copy --from sqlite:///srv/lifehub.db --to postgres://lifehub@db/lifehub";

pub(super) const STORE_COPY: &str = "\
EXAMPLES:
  lifehub store copy --from sqlite:///srv/lifehub.db --to postgres://lifehub@db/lifehub
  lifehub store copy --from postgres://lifehub@db/lifehub --to sqlite:///srv/back.db
  lifehub store copy --from old.db --to new.db --json      rows, seconds, and the rows of each table

Stop everything that works on the store first: it is refused while somebody does. All is copied,
sealed credentials included, and in the end every row is read back and compared. The same master key
opens both: it is the one of this installation (see --data-dir and LIFEHUB_MASTER_KEY).

It may be stopped or killed at any moment: run again, it goes on where it stood. Until it is done, the
new store opens for nothing else. A target that holds anything else is refused, and left as it is.

A password in a URL is seen in the list of processes: leave it out, and put it into ~/.pgpass or the
environment variable PGPASSWORD.";

pub(super) const REPLAY: &str = "\
EXAMPLES:
  lifehub replay --all                                     after an update of Lifehub
  lifehub replay --connection 0198c7a2-5b1e-7c3d-9f00-1a2b3c4d5e6f --json

Records keep their ids; only those that differ change.";

pub(super) const DOCTOR: &str = "\
EXAMPLES:
  lifehub doctor
  lifehub doctor --json

Exits with 1 if any check fails.";
