//! The made-up athlete as Strava tells of her.

/// What `GET /athlete` answers.
pub(super) const DETAILED: &str = r#"{"id":900001234,"username":"sample_athlete","resource_state":3,"firstname":"Sample","lastname":"Athlete","city":"","state":"","country":"","sex":"F","premium":true,"summit":true,"created_at":"2019-02-10T09:00:00Z","updated_at":"2026-08-01T08:00:00Z","weight":61.5,"follower_count":12,"friend_count":10,"measurement_preference":"meters","ftp":null,"clubs":[],"bikes":[{"id":"b800001","primary":true,"name":"Example Bike","resource_state":2,"retired":false,"distance":5120400,"converted_distance":5120.4}],"shoes":[{"id":"g900001","primary":true,"name":"Example Shoe","resource_state":2,"retired":false,"distance":412300,"converted_distance":412.3}]}"#;

/// What comes with the first tokens of a consent.
pub(super) const SUMMARY: &str = r#"{"id":900001234,"username":"sample_athlete","resource_state":2,"firstname":"Sample","lastname":"Athlete","city":"","state":"","country":"","sex":"F","premium":true,"summit":true,"created_at":"2019-02-10T09:00:00Z","updated_at":"2026-08-01T08:00:00Z"}"#;
