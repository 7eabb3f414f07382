//! A provider may end a consent by itself: whoever looks is told when, and whom to connect again before that.

use std::time::Duration;

use lifehub_core::clock::{Clock, SystemClock, Zone};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::NewConnection;
use serde_json::Value;

use crate::home::{Home, Kind, block_on, on_each_database};
use crate::lifehub::{Lifehub, Strava};

const DAY: Duration = Duration::from_secs(86_400);

on_each_database! {
    #[test]
    fn a_consent_that_ends_by_itself_is_said_before(kind: Kind) {
        let lifehub = Lifehub::at(Home::new(kind), &Strava::with(1, 1, 0));
        let now = SystemClock::default().now();
        let [fresh, old, unknown, lasting] = block_on(async {
            let store = lifehub.home.store().await;
            let user = store.create_user("a@example.org", &Zone::utc()).await.unwrap();
            let mut made: Vec<ConnectionId> = Vec::new();
            for (provider, account, days) in [
                ("spotify", "a", Some(20)),
                ("spotify", "b", Some(170)),
                ("spotify", "c", None),
                ("strava", "d", Some(170)),
            ] {
                let given = days.map(|days| Secret::new((now - days * DAY).to_string()));
                let token = Credentials::none().with("access_token", Secret::new("made-up"));
                let credentials = given.into_iter().fold(token, |all, given| all.with("consented_at", given));
                let account = Some(account.to_owned());
                let new = NewConnection { account, ..NewConnection::new(user, provider, credentials) };
                made.push(store.connect(new).await.unwrap().0);
            }
            store.close().await.unwrap();
            made.try_into().unwrap()
        });

        let listed: Value = serde_json::from_str(&lifehub.ok(&["connections", "--json"])).unwrap();
        let ends = |id: ConnectionId| {
            let row = listed.as_array().unwrap().iter().find(|row| row["id"] == id.to_string()).unwrap();
            row["consent_ends_at"].as_str().map(str::to_owned)
        };
        let in_days = |days: u32| Some((now + days * DAY).to_string());
        assert_eq!(
            [ends(fresh), ends(old), ends(unknown), ends(lasting)],
            [in_days(160), in_days(10), None, None]
        );
        let day = (now + 10 * DAY).utc_day();
        assert!(lifehub.ok(&["connections"]).contains(&format!("active until {day}")));

        let found: Value = serde_json::from_str(&lifehub.ok(&["doctor", "--json"])).unwrap();
        let consents: Vec<_> = found["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|check| check["check"] == "consent of spotify")
            .collect();
        let statuses: Vec<_> = consents.iter().map(|check| check["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["ok", "warn"], "{found:#}");
        let hint = format!("lifehub connect spotify --connection {old}");
        assert!(consents[1]["hint"].as_str().unwrap().contains(&hint), "{found:#}");
        assert!(consents[1]["message"].as_str().unwrap().contains(&day.to_string()), "{found:#}");
    }
}
