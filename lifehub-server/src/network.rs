//! The way to the providers; and the lack of one, for commands that work on what is stored.

use std::sync::Arc;

use async_trait::async_trait;
use lifehub_core::http::{Request, ReqwestTransport, Response, Transport};
use lifehub_core::{Error, ErrorKind, Result};

/// The network of this machine.
///
/// # Errors
/// If HTTP does not work here, as without certificates.
pub(crate) fn online() -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(ReqwestTransport::new()?))
}

/// The way to servers on this machine alone.
///
/// # Errors
/// If HTTP does not work here.
#[cfg(feature = "simulator")]
pub(crate) fn local() -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(ReqwestTransport::local()?))
}

/// No network: whatever is sent is refused.
pub(crate) fn offline() -> Arc<dyn Transport> {
    Arc::new(Offline)
}

struct Offline;

#[async_trait]
impl Transport for Offline {
    async fn send(&self, _: Request) -> Result<Response> {
        Err(Error::new(ErrorKind::Unsupported, "this command works without the network"))
    }
}
