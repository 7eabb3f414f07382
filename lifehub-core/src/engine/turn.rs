//! Whose turn it is: short runs reach every stream and every partition in the end.

use crate::connector::StreamSpec;
use crate::engine::options::SyncOptions;
use crate::engine::report::{Report, StreamReport};
use crate::error::{Error, ErrorKind, Result};

/// The streams that the caller asks for, in the manifest's order.
pub(super) fn chosen<'a>(streams: &'a [StreamSpec], options: &SyncOptions) -> Result<Vec<&'a StreamSpec>> {
    let known = |name: &String| streams.iter().any(|spec| spec.name == name);
    if let Some(unknown) = options.streams.iter().find(|name| !known(name)) {
        let names: Vec<_> = streams.iter().map(|spec| spec.name).collect();
        return Err(Error::new(ErrorKind::Invalid, format!("there is no stream {unknown:?}"))
            .hint(format!("its streams are: {}", names.join(", "))));
    }
    let wanted =
        |spec: &&StreamSpec| options.streams.is_empty() || options.streams.iter().any(|s| s == spec.name);
    Ok(streams.iter().filter(wanted).collect())
}

/// Begins with the stream to which the last run did not come any more. A run that is too short for the first stream's
/// news would else never read the others.
pub(super) fn after(streams: &mut [&StreamSpec], last: Option<&Report>) {
    let waits = |spec: &&StreamSpec| {
        let report = last.and_then(|last| last.streams.iter().find(|report| report.stream == spec.name));
        report.is_some_and(|StreamReport { counts, caught_up, error, .. }| {
            counts.pages == 0 && !caught_up && error.is_none()
        })
    };
    // Those who wait follow each other, around the end of the list: the first of them has a neighbour who does not.
    let count = streams.len();
    let first = (0..count).find(|i| waits(&streams[*i]) && !waits(&streams[(i + count - 1) % count]));
    streams.rotate_left(first.unwrap_or(0));
}
