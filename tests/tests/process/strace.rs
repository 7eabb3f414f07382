//! Doing something to a process at the k-th call by which SQLite changes a file of its database.

use std::path::Path;

use crate::fleet::reach;

/// What stands before a command so that this happens to it (`signal=SIGKILL`, `error=EIO`).
pub(crate) fn inject(database: &Path, call: &str, what: &str, k: u64) -> Vec<String> {
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:{what}:when={k}");
    let mut wrapper: Vec<String> = ["strace", "-f", "-e", &trace, "-e", &inject].map(Into::into).into();
    for suffix in ["", "-wal", "-journal"] {
        wrapper.extend(["-P".into(), format!("{}{suffix}", database.display())]);
    }
    wrapper
}

/// The calls at which it happens: every one at the full reach (`LIFEHUB_STRIDE=1`), else some of them.
pub(crate) fn each(offset: u64) -> impl Iterator<Item = u64> {
    let stride = reach("LIFEHUB_STRIDE", 4);
    (1 + offset % stride..).step_by(usize::try_from(stride).unwrap())
}
