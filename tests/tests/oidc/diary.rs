//! A made-up connector whose provider is the authorization server: what is known of the user is its one item.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Day;
use lifehub_core::connector::{
    Absence, Auth, Connector, Context, Identity, Manifest, StreamSpec, Terms, no_settings,
};
use lifehub_core::normalize::Reject;
use lifehub_core::oauth::OAuthSpec;
use lifehub_core::page::{Coverage, Cursor, Item, ItemKey, Page, Place, RawItem};
use lifehub_core::paginate::go_on;
use lifehub_core::record::datasets::{Entry, EntryValue};
use lifehub_core::record::{Record, When};
use serde::Deserialize;

use crate::issuer::PROVIDER;

pub(crate) struct Diary(Manifest);

impl Diary {
    pub(crate) fn new(oauth: OAuthSpec) -> Self {
        Self(Manifest {
            id: PROVIDER,
            title: "Diary",
            about: "How many entries a diary has",
            docs: "https://diary.example/docs",
            base_url: "https://diary.example",
            origins: &[],
            auth: Auth::oauth2(oauth),
            quotas: vec![],
            streams: vec![
                StreamSpec::snapshot("diaries", "Diaries", &["entry"], normalize).absence(Absence::MeansGone),
            ],
            settings: no_settings(),
            terms: Terms::owners_choice("https://diary.example/terms"),
        })
    }
}

#[derive(Deserialize)]
struct Head {
    sub: String,
}

#[derive(Deserialize)]
struct Body {
    begun_on: Day,
    entries: f64,
}

fn normalize(item: &RawItem) -> Result<Vec<Record>, Reject> {
    let body: Body = item.body.read()?;
    let entry = Entry { tracker: PROVIDER.into(), value: EntryValue::Number(body.entries), note: None };
    Ok(vec![Record::new(When::Day(body.begun_on), &entry)?])
}

#[async_trait]
impl Connector for Diary {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let me: Head = cx.get("/me").json().await?;
        Ok(Identity { account: me.sub, title: None })
    }

    async fn fetch_page(&self, cx: &Context<'_>, _: Place<'_>, _: Option<&Cursor>) -> Result<Page> {
        let body = cx.get("/me").parse(|answer| Ok(answer.raw(answer.json()?))).await?;
        let item = Item::read(body, |me| Ok(ItemKey::new(me.id("sub")?)));
        Ok(Page { items: vec![item], next: go_on(None::<u8>, Coverage::Whole)? })
    }
}
