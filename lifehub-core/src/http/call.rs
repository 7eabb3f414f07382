//! One call in the making: parameters, then sending it and reading its answer.

use std::fmt::{self, Display};

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::answer::Answer;
use super::client::Http;
use super::message::{Priority, Request};
use super::stack::Check;
use crate::error::{Error, ErrorKind, Result};

/// One call in the making. Nothing is sent before [`send`](Call::send), [`json`](Call::json) or
/// [`parse`](Call::parse), which also report what went wrong on the way there.
#[must_use = "a call does nothing before it is sent"]
pub struct Call {
    http: Http,
    request: Result<Request>,
    check: Option<Check>,
    resumes: bool,
}

impl Call {
    pub(super) fn new(http: &Http, request: Result<Request>) -> Self {
        Self { http: http.clone(), request, check: None, resumes: false }
    }

    /// Appends one segment to the path, encoded so that nothing in it can be anything but one segment.
    pub fn segment(self, segment: impl Display) -> Self {
        self.change(|request| {
            if let Ok(mut path) = request.url.path_segments_mut() {
                path.pop_if_empty().push(&segment.to_string());
            }
            Ok(())
        })
    }

    /// Adds a parameter to the query.
    pub fn query(self, name: &str, value: impl Display) -> Self {
        self.change(|request| {
            request.url.query_pairs_mut().append_pair(name, &value.to_string());
            Ok(())
        })
    }

    /// Adds a parameter to the query if there is a value.
    pub fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a token that the provider handed out earlier, if there is one: the call goes on from there, as by
    /// [`resuming`](Call::resuming).
    ///
    /// ```
    /// # use lifehub_core::{connector::Context, http::Call, paginate::PageToken};
    /// fn page(cx: &Context<'_>, at: &PageToken) -> Call {
    ///     cx.get("/sleep").token("next_token", at.token.as_deref())
    /// }
    /// ```
    pub fn token(self, name: &str, token: Option<impl Display>) -> Self {
        match token {
            Some(token) => self.query(name, token).resuming(),
            None => self,
        }
    }

    /// The call goes on from something that the provider handed out earlier, and is otherwise one that it takes. If it
    /// does not take it any more ([`Invalid`](ErrorKind::Invalid)), the cursor has expired: the error is
    /// [`CursorExpired`](ErrorKind::CursorExpired), and the engine falls back to an older resume point.
    pub fn resuming(mut self) -> Self {
        self.resumes = true;
        self
    }

    /// Sets a header.
    pub fn header(self, name: &str, value: impl Display) -> Self {
        self.change(|request| {
            let fault = |_| Error::new(ErrorKind::Internal, format!("the header {name:?} does not fit"));
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault(()))?;
            let value = HeaderValue::from_str(&value.to_string()).map_err(|_| fault(()))?;
            request.headers.insert(key, value);
            Ok(())
        })
    }

    /// Sends this value as JSON.
    pub fn json_body(self, body: &impl Serialize) -> Self {
        self.change(|request| {
            let body = serde_json::to_vec(body).map_err(|e| {
                Error::new(
                    ErrorKind::Internal,
                    format!("the body does not fit JSON: {}", crate::error::json_fault(&e)),
                )
            })?;
            request.body = body.into();
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(())
        })
    }

    /// Sends these pairs as a form.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        self.change(|request| {
            request.body =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into();
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers.insert(CONTENT_TYPE, form);
            Ok(())
        })
    }

    /// How many units of the provider's quotas it costs. Default: 1.
    pub fn weight(self, units: u32) -> Self {
        self.change(|request| {
            request.weight = units;
            Ok(())
        })
    }

    /// Who goes first where the provider's quotas are scarce. Default: [`Priority::Live`].
    pub fn priority(self, priority: Priority) -> Self {
        self.change(|request| {
            request.priority = priority;
            Ok(())
        })
    }

    /// How many decoded bytes the answer may have, instead of the client's limit.
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.change(|request| {
            request.max_bytes = bytes;
            Ok(())
        })
    }

    /// The path is a secret, as a private feed's: no log line and no error shows it.
    pub fn secret_path(self) -> Self {
        self.change(|request| {
            request.path_is_secret = true;
            Ok(())
        })
    }

    pub(super) fn graphql(mut self, query: &str, variables: &impl Serialize) -> Self {
        #[derive(Serialize)]
        struct Body<'a, V> {
            query: &'a str,
            variables: &'a V,
        }
        self.check = Some(graphql_errors);
        self.json_body(&Body { query, variables })
    }

    /// Sends it. The answer's status is fine, and its body is whole.
    ///
    /// # Errors
    /// See [`ErrorKind`]; temporary ones have been tried again before.
    pub async fn send(self) -> Result<Answer> {
        self.run(|_| Ok(())).await.map(|(answer, ())| answer)
    }

    /// Sends it and reads the answer as JSON. One that breaks off is asked for again.
    ///
    /// # Errors
    /// As [`Call::send`] and [`Answer::json`].
    pub async fn json<T: DeserializeOwned + Send>(self) -> Result<T> {
        self.parse(|answer| answer.json::<T>()).await
    }

    /// Sends it and reads the answer with this function, inside of the retry: if its error is temporary, the answer
    /// is asked for again.
    ///
    /// # Errors
    /// As [`Call::send`], and what the function says.
    pub async fn parse<T: Send>(self, read: impl Fn(&Answer) -> Result<T> + Send + Sync) -> Result<T> {
        self.run(read).await.map(|(_, value)| value)
    }

    async fn run<T: Send>(self, read: impl Fn(&Answer) -> Result<T> + Send + Sync) -> Result<(Answer, T)> {
        let Self { http, request, check, resumes } = self;
        // Where members are read by `Fields`, nothing is known of the answer.
        let read = |answer: &Answer| read(answer).map_err(|error| answer.located(error));
        http.0.run(&request?, check, read).await.map_err(|error| match error.kind() {
            ErrorKind::Invalid if resumes => error.expired(),
            _ => error,
        })
    }

    fn change(mut self, change: impl FnOnce(&mut Request) -> Result<()>) -> Self {
        self.request = self.request.and_then(|mut request| change(&mut request).map(|()| request));
        self
    }
}

/// GraphQL answers errors with status 200, maybe beside some of the data: never taken for an empty page.
fn graphql_errors(answer: &Answer) -> Option<Error> {
    #[derive(Deserialize)]
    struct Envelope {
        errors: Option<Vec<IgnoredAny>>,
    }
    let envelope: Envelope = answer.json().ok()?;
    let count = envelope.errors.filter(|errors| !errors.is_empty())?.len();
    Some(
        Error::new(ErrorKind::InvalidResponse, "the provider did not answer the query")
            .with("errors", count)
            .hint("the provider's schema may have changed: look for a newer connector"),
    )
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            Ok(request) => write!(f, "Call({request:?})"),
            Err(error) => write!(f, "Call({error:?})"),
        }
    }
}
