//! The subject's connector with one of its streams' normalizers replaced.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::connector::{Connector, Context, Identity, Manifest};
use lifehub_core::http::Classify;
use lifehub_core::normalize::{Normalizer, Reject};
use lifehub_core::page::{Cursor, Page, Partition, Place, RawItem};
use lifehub_core::record::Record;
use serde_json::Value;

/// The same connector with other normalizers in its manifest.
pub(super) struct Wrapped {
    inner: Arc<dyn Connector>,
    manifest: Manifest,
}

impl Wrapped {
    /// As it was one version ago, when its normalizers did not take these items.
    pub(super) fn before(inner: Arc<dyn Connector>, refused: &BTreeSet<String>) -> Self {
        Self::new(inner, 0, |good| Arc::new(Refusing { good, refused: refused.clone() }))
    }

    /// The same normalizers under a higher version.
    pub(super) fn after(inner: Arc<dyn Connector>) -> Self {
        Self::new(inner, 1, |good| good)
    }

    fn new(
        inner: Arc<dyn Connector>,
        raised: u32,
        change: impl Fn(Arc<dyn Normalizer>) -> Arc<dyn Normalizer>,
    ) -> Self {
        let mut manifest = inner.manifest().clone();
        for stream in &mut manifest.streams {
            stream.normalizer = change(stream.normalizer.clone());
            stream.version += raised;
        }
        Self { inner, manifest }
    }
}

struct Refusing {
    good: Arc<dyn Normalizer>,
    refused: BTreeSet<String>,
}

impl Normalizer for Refusing {
    fn normalize(&self, item: &RawItem) -> Result<Vec<Record>, Reject> {
        if self.refused.contains(&item.id) {
            return Err(Reject::new("this version does not know the form"));
        }
        self.good.normalize(item)
    }
}

#[async_trait]
impl Connector for Wrapped {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        self.inner.identify(cx).await
    }

    async fn partitions(&self, cx: &Context<'_>, stream: &str) -> Result<Vec<Partition>> {
        self.inner.partitions(cx, stream).await
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        self.inner.fetch_page(cx, at, cursor).await
    }

    fn base_url(&self, settings: &Value) -> Result<Option<String>> {
        self.inner.base_url(settings)
    }

    fn classify(&self) -> Option<Classify> {
        self.inner.classify()
    }
}
