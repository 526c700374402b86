//! An HTTP client that takes every status as an answer.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use crate::patience::patiently;

/// No answer may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest that a stream of events is followed.
const STREAM: Duration = Duration::from_secs(3_600);
/// The largest body that is read.
const MOST: u64 = 256 << 20;

/// A client. Clones share what they asked, not connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    asked: Arc<Mutex<BTreeSet<(String, String)>>>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client of what listens there.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        Self { agent: agent(PATIENCE), base: format!("http://{address}"), asked: Arc::default() }
    }

    /// Methods and paths (without queries) that were asked.
    ///
    /// # Panics
    /// If a thread that asked has panicked.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<(String, String)> {
        self.asked.lock().unwrap().clone()
    }

    /// Sends anything; the body only where there is one.
    ///
    /// # Errors
    /// If no answer came.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Reply, ureq::Error> {
        reply(self.open(method, path, headers, body)?)
    }

    fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Response<Body>, ureq::Error> {
        let plain = path.split('?').next().unwrap_or(path);
        self.asked.lock().unwrap().insert((method.to_owned(), plain.to_owned()));
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match body {
            Some(body) => self.agent.run(request.body(body)?),
            None => self.agent.run(request.body(())?),
        }
    }

    /// GET, where no answer may be an answer.
    ///
    /// # Errors
    /// If none came.
    pub fn try_get(&self, path: &str) -> Result<Reply, ureq::Error> {
        self.send("GET", path, &[], None)
    }

    /// GET.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn get(&self, path: &str) -> Reply {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// GET of a certain media type.
    ///
    /// # Panics
    /// If no answer comes.
    #[must_use]
    pub fn get_as(&self, path: &str, media_type: &str) -> Reply {
        let reply = self.send("GET", path, &[("accept", media_type)], None);
        reply.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// POST of JSON whose `id` is its idempotency key, where no answer may be an answer.
    ///
    /// # Errors
    /// If none came.
    pub fn try_post(&self, path: &str, body: &[u8]) -> Result<Reply, ureq::Error> {
        self.send("POST", path, &[("content-type", "application/json")], Some(body))
    }

    /// POST of JSON whose `id` is its idempotency key.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        let reply = self.try_post(path, body.to_string().as_bytes());
        reply.unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// Sends JSON with an idempotency key of its own, and more headers.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn change(&self, method: &str, path: &str, key: &str, more: &[(&str, &str)], body: &Value) -> Reply {
        let mut headers = vec![("content-type", "application/json"), ("idempotency-key", key)];
        headers.extend_from_slice(more);
        let reply = self.send(method, path, &headers, Some(body.to_string().as_bytes()));
        reply.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// DELETE.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn delete(&self, path: &str) -> Reply {
        let reply = self.send("DELETE", path, &[], None);
        reply.unwrap_or_else(|error| panic!("DELETE {path}: {error}"))
    }

    /// GET of what may not be ready yet while the views are made again.
    ///
    /// # Panics
    /// If it is not ready within a minute, or something else is wrong.
    pub fn when_ready(&self, path: &str) -> Value {
        patiently(PATIENCE, path, || {
            let reply = self.get(path);
            (reply.status != 503).then(|| reply.ok(200))
        })
    }

    /// All items of a list, page by page.
    ///
    /// # Panics
    /// If a page is not given.
    #[must_use]
    pub fn list(&self, path: &str, limit: usize) -> Vec<Value> {
        let glue = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.when_ready(&format!("{path}{glue}limit={limit}{cursor}"));
            items.extend(page["items"].as_array().expect("a page has items").iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// Follows the events, from after a position if one is given.
    ///
    /// # Panics
    /// If the stream is not given.
    #[must_use]
    pub fn events(&self, after: Option<&str>) -> Events {
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(after.map(|position| ("last-event-id", position)));
        let patient = Self { agent: agent(STREAM), base: self.base.clone(), asked: self.asked.clone() };
        let response = patient.open("GET", "/api/v1/events", &headers, None).unwrap();
        assert_eq!(response.status(), 200);
        let (_, body) = response.into_parts();
        Events(Box::new(BufReader::new(body.into_reader())))
    }
}

fn agent(body: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(None)
        .timeout_recv_response(Some(PATIENCE))
        .timeout_recv_body(Some(body))
        .max_idle_age(Duration::from_secs(2))
        .proxy(None);
    config.build().into()
}

fn reply(mut response: Response<Body>) -> Result<Reply, ureq::Error> {
    let body = response.body_mut().with_config().limit(MOST).read_to_vec()?;
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Ok(Reply { status: response.status().as_u16(), headers: headers.collect(), body })
}

impl Reply {
    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where the change stands in the journal.
    #[must_use]
    pub fn position(&self) -> Option<&str> {
        self.header("tillbox-position")
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        let read = serde_json::from_slice(&self.body);
        read.unwrap_or_else(|error| panic!("{} is no JSON ({error}): {}", self.status, self.text()))
    }

    /// The body of an answer that must have this status.
    ///
    /// # Panics
    /// If it has another.
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// What a repeated request must give again: status, position, body.
    #[must_use]
    pub fn essence(&self) -> (u16, Option<&str>, &[u8]) {
        (self.status, self.position(), &self.body)
    }
}

/// A stream of events.
pub struct Events(Box<dyn std::io::BufRead + Send>);

impl Events {
    /// The next event: its id, its name, its data. Comments are passed over.
    ///
    /// # Panics
    /// If the stream ends.
    pub fn next_event(&mut self) -> (String, String, Value) {
        self.next_if_any().expect("the stream of events ended")
    }

    /// The same; `None` at the end of the stream.
    ///
    /// # Panics
    /// If the stream breaks.
    pub fn next_if_any(&mut self) -> Option<(String, String, Value)> {
        self.read().expect("the stream goes on")
    }

    /// The same; `None` also where the stream breaks, as that of a daemon that is killed does.
    pub fn next_while_it_lasts(&mut self) -> Option<(String, String, Value)> {
        self.read().ok().flatten()
    }

    fn read(&mut self) -> std::io::Result<Option<(String, String, Value)>> {
        let (mut id, mut name, mut data) = (String::new(), String::new(), String::new());
        for line in (&mut self.0).lines() {
            let line = line?;
            match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                Some(("id", value)) => value.clone_into(&mut id),
                Some(("event", value)) => value.clone_into(&mut name),
                Some(("data", value)) => data += value,
                _ if line.is_empty() && !(name.is_empty() && data.is_empty()) => {
                    let data = serde_json::from_str(&data).unwrap_or(Value::Null);
                    return Ok(Some((id, name, data)));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}
