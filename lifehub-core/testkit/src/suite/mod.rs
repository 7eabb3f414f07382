//! Conformance suites: constant lists of cases that every connector and every store must pass.
//!
//! A case is a name, a sentence on what it checks, a sentence on the broken double on which it must fail, and an async
//! function. [`connector_suite!`](crate::connector_suite) and [`store_suite!`](crate::store_suite) make one test of
//! each case, so that a new case reaches everyone at once and nobody can skip one.

pub mod connector;
pub mod store;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// One case of a suite over subjects of type `S`.
pub struct Case<S: 'static> {
    /// Its name: that of its function and of its test.
    pub name: &'static str,
    /// What it checks, as one sentence.
    pub about: &'static str,
    /// The double that fails on it, as one sentence that begins with what the double is.
    pub double: &'static str,
    /// The case itself.
    pub run: for<'a> fn(&'a S) -> Pin<Box<dyn Future<Output = Verdict> + 'a>>,
}

impl<S> fmt::Debug for Case<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({})", self.name)
    }
}

/// How a case ended.
pub type Verdict = Result<Outcome, Failure>;

/// How a case ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything held.
    Passed,
    /// The subject knows nothing of the kind, for this reason.
    NotApplicable(&'static str),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::NotApplicable(why) => write!(f, "does not apply: {why}"),
        }
    }
}

/// What a case found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure with what was found, and what was expected.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Says before it when it happened.
    #[must_use]
    pub fn when(self, text: impl fmt::Display) -> Self {
        Self(format!("{text}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<lifehub_core::Error> for Failure {
    fn from(error: lifehub_core::Error) -> Self {
        Self(format!("an unexpected error: {error}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(format!("an unexpected error of the system: {error}"))
    }
}

/// What a suite tests.
pub trait Tested {
    /// On how many threads beside the test's own its tasks run. With none, all that it logs is logged on the test's.
    const THREADS: usize;

    /// What reports call it.
    fn name(&self) -> &'static str;

    /// Why no case can be run on it here, if none can: the machine may lack what it needs.
    fn missing(&self) -> Option<&'static str> {
        None
    }
}

/// Runs one case on one subject, on a runtime of its own.
///
/// # Errors
/// What the case found wrong.
pub fn run<S: Tested>(case: &Case<S>, subject: &S) -> Verdict {
    if let Some(why) = subject.missing() {
        return Ok(Outcome::NotApplicable(why));
    }
    let mut runtime = match S::THREADS {
        0 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.worker_threads(S::THREADS.max(1)).enable_all().build()?.block_on((case.run)(subject))
}

/// Runs the case of that name and prints `subject × case: outcome`; what the generated tests call.
///
/// # Panics
/// If the case fails, with what it found; or if there is no such case.
#[expect(clippy::print_stdout, reason = "the test harness shows it with --nocapture and on failures")]
pub fn assert_case<S: Tested>(cases: &[Case<S>], name: &str, subject: &S) {
    let Some(case) = cases.iter().find(|case| case.name == name) else { panic!("there is no case {name}") };
    match run(case, subject) {
        Ok(outcome) => println!("{} × {name}: {outcome}", subject.name()),
        Err(failure) => panic!("{} × {name} failed: {failure}\n  it checks: {}", subject.name(), case.about),
    }
}

/// The list of cases as a table in Markdown: name, what it checks, the double that fails on it.
pub fn to_markdown<S>(cases: &[Case<S>]) -> String {
    let mut table = String::from("| case | what it checks | its broken double |\n|---|---|---|\n");
    for case in cases {
        table.push_str(&format!("| `{}` | {} | {} |\n", case.name, case.about, case.double));
    }
    table
}

/// Fails the case unless a condition holds; the rest is a message as for `format!`.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::suite::Failure::new(format!($($message)+)));
        }
    };
}
pub(crate) use ensure;
