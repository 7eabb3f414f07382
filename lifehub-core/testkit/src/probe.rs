//! A client without any manners: one request, and what came back on the wire byte by byte, damage included.
//!
//! It is for tests of simulators and of faults. Connectors are tested with the real HTTP stack.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A request to be sent over a connection of its own.
///
/// ```no_run
/// # use lifehub_testkit::Probe;
/// let reply = Probe::get("http://127.0.0.1:8080/api/v3/athlete").bearer("token").send()?;
/// assert_eq!(reply.status, 200);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Probe {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// As much of the body as came.
    pub body: Vec<u8>,
}

impl Probe {
    /// A GET of that address, `http://127.0.0.1:PORT/path?query`.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A POST of a form whose names and values are encoded already.
    pub fn post_form(url: impl Into<String>, form: &str) -> Self {
        let post = Self { method: "POST".to_owned(), body: form.into(), ..Self::get(url) };
        post.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sends it and reads until the server closes.
    ///
    /// # Errors
    /// If the server is not there or resets the connection, or its answer has no head.
    pub fn send(&self) -> io::Result<Reply> {
        let (host, path) = self
            .url
            .strip_prefix("http://")
            .and_then(|rest| rest.find('/').map(|slash| rest.split_at(slash)))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "write http://HOST:PORT/PATH"))?;
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut head = format!("{} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", self.method);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(&self.body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Reply::read(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "no answer"))
    }
}

impl Reply {
    fn read(answer: &[u8]) -> Option<Self> {
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
        let head = std::str::from_utf8(answer.get(..end)?).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self { status, headers, body: answer.get(end + 4..)?.to_vec() })
    }

    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The length of the body that the head announces.
    pub fn announced(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is cut, or no JSON.
    pub fn json(&self) -> serde_json::Result<Value> {
        serde_json::from_slice(&self.body)
    }
}
