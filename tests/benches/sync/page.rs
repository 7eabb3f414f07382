//! From the answer to records: what of a sync is neither network nor store.

use std::sync::Arc;

use async_trait::async_trait;
use criterion::{Criterion, Throughput};
use lifehub_core::Result;
use lifehub_core::connector::{Connector as _, Context, FileAccess};
use lifehub_core::http::{Http, Request, Response, Transport};
use lifehub_core::page::{Page, Pass, PassKind, Place};
use lifehub_core::secret::Credentials;
use lifehub_strava::Strava;
use lifehub_testkit::SimResponse;

use crate::activities::{PER_PAGE, broken, pages};

/// Answers every request with the same page.
struct Canned(SimResponse);

#[async_trait]
impl Transport for Canned {
    async fn send(&self, _: Request) -> Result<Response> {
        Ok(Response::new(self.0.status, self.0.body.clone()))
    }
}

pub(crate) fn measure(criterion: &mut Criterion) -> Result<()> {
    let items = pages(1)?.into_iter().flatten().collect::<Vec<_>>();
    let texts: Vec<&str> = items.iter().map(|item| item.body.as_str()).collect();
    let canned = Canned(SimResponse::json_text(200, format!("[{}]", texts.join(","))));
    let strava = Strava;
    let base = strava.manifest().base_url.parse().map_err(broken)?;
    let http = Http::builder(Arc::new(canned), base).build()?;
    let pass = Pass { kind: PassKind::Full, from: None, to: "2026-08-10T12:00:00Z".parse()? };
    let now = pass.to;
    let settings = serde_json::json!({});
    let cx = Context::new(&http, &settings, &Credentials::none(), FileAccess::Denied, pass, now);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
    let at = Place { stream: "activities", partition: "" };
    let fetch = || -> Result<Page> { runtime.block_on(strava.fetch_page(&cx, at, None)) };
    let normalizer = strava.manifest().stream("activities").map(|spec| spec.normalizer.clone());
    let normalizer = normalizer.ok_or_else(|| broken("Strava has no activities"))?;
    // What is measured is what it is taken for.
    if fetch()?.items.len() != PER_PAGE || items.iter().any(|item| normalizer.normalize(item).is_err()) {
        return Err(broken("a page is not what it should be"));
    }

    let mut group = criterion.benchmark_group("page of 200");
    group.throughput(Throughput::Elements(PER_PAGE as u64)).sample_size(50);
    group.bench_function("answer to items", |bencher| bencher.iter(fetch));
    group.bench_function("items to records", |bencher| {
        bencher.iter(|| items.iter().map(|item| normalizer.normalize(item)).collect::<Vec<_>>());
    });
    group.finish();
    Ok(())
}
