//! A shop whose daemon runs, with lines that boards are plugged in at.

pub mod cable;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tillbox_hil::KEY;
use tillbox_tests::{Client, Daemon, Place, Setup, patiently};
use uuid::Uuid;

/// Nothing takes nearly so long.
pub const LONG: Duration = Duration::from_secs(60);

/// An event's id, name and data.
type Heard = (String, String, Value);

pub struct Counter {
    // It is killed before its place goes.
    daemon: Option<Daemon>,
    place: Place,
    ports: TempDir,
    /// All events of the journal and all news since the last start; `None` before it.
    heard: Option<Receiver<(Instant, Heard)>>,
    /// Jobs of drawers that have ended: the outcome, and why.
    ended: BTreeMap<String, (String, String)>,
    alarms: usize,
    /// Scans since the last start, and when they were heard.
    pub scans: Vec<(Instant, Value)>,
    /// Where in the journal the last event stands that was heard.
    last: String,
    /// Where in the journal the events were followed from.
    begun: Option<String>,
}

/// What a variable names that `scripts/hil` builds, or `None`, and why.
pub fn built(variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    if named.is_none() {
        println!("SKIPPED: {variable} names nothing; scripts/hil builds it");
    }
    named
}

/// The configuration of a device on a controller, at till-1.
pub fn section(name: &str, id: &str, hardware: &[u8; 8], more: &str) -> String {
    let port = hex(hardware);
    format!("[[{name}]]\nid = \"{id}\"\nterminal = \"till-1\"\nport = \"controller:{port}\"\n{more}\n")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Changes something, and gives where that stands in the journal.
fn put_a_pen(client: &Client) -> String {
    let key = Uuid::now_v7().to_string();
    let body = json!({"name": format!("Pen {key}"), "price": 250, "taxClass": "standard"});
    let put = client.change("PUT", "/api/v1/products/PEN", &key, &[], &body);
    put.position().unwrap_or_else(|| panic!("{}", put.text())).to_owned()
}

/// Orders a drawer to open, and gives the job's id.
pub fn ask_open(client: &Client, device: &str) -> String {
    let id = Uuid::now_v7();
    let body = json!({"id": id, "terminalId": "till-1", "reason": "change"});
    let asked = client.post(&format!("/api/v1/devices/{device}/open"), &body).ok(202);
    asked["jobId"].as_str().or(asked["id"].as_str()).expect("a job").to_owned()
}

impl Counter {
    /// A shop with lines of these names, and these sections of devices.
    pub fn begin(lines: &[&str], devices: &str) -> Self {
        let ports = tempfile::tempdir().unwrap();
        let names: Vec<_> =
            lines.iter().map(|line| format!("serial:{}", ports.path().join(line).display())).collect();
        let section = format!("[controllers]\nlines = {names:?}\n{devices}");
        let place = Place::new(&Setup::default().with(&section));
        let mut counter = Self {
            daemon: None,
            place,
            ports,
            heard: None,
            ended: BTreeMap::new(),
            alarms: 0,
            scans: Vec::new(),
            last: String::new(),
            begun: None,
        };
        counter.start();
        counter
    }

    pub fn line(&self, name: &str) -> PathBuf {
        self.ports.path().join(name)
    }

    pub fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("it runs")
    }

    /// Starts the daemon, and hears all events of the journal from the first start on.
    pub fn start(&mut self) {
        let daemon = self.place.start();
        let client = daemon.client();
        if self.begun.is_none() {
            self.begun = Some(put_a_pen(&client));
        }
        let mut events = client.events(self.begun.as_deref());
        (self.ended, self.alarms, self.scans) = (BTreeMap::new(), 0, Vec::new());
        let (sink, heard) = channel();
        std::thread::spawn(move || {
            while let Some(event) = events.next_while_it_lasts() {
                if sink.send((Instant::now(), event)).is_err() {
                    return;
                }
            }
        });
        (self.daemon, self.heard) = (Some(daemon), Some(heard));
    }

    pub fn kill(&mut self) {
        self.daemon.take().expect("it runs").kill();
    }

    /// Enrols the board's key, and claims the device for the till.
    pub fn enrol(&self, id: &str) {
        let path = format!("/api/v1/devices/{id}/controller-key");
        let body = json!({"key": hex(&KEY)});
        self.daemon().client().change("PUT", &path, &Uuid::now_v7().to_string(), &[], &body).ok(200);
        patiently(LONG, "the key is the controller's", || {
            (self.device(id)["controller"]["key"] == "enrolled").then_some(())
        });
    }

    /// Configures a drawer while the daemon runs.
    pub fn put_drawer(&self, id: &str, hardware: &[u8; 8]) {
        let settings = json!({"port": format!("controller:{}", hex(hardware)), "terminal": "till-1"});
        let body = json!({"id": Uuid::now_v7(), "section": "drawer", "settings": settings});
        let key = Uuid::now_v7().to_string();
        self.daemon().client().change("PUT", &format!("/api/v1/devices/{id}"), &key, &[], &body).ok(200);
    }

    pub fn device(&self, id: &str) -> Value {
        self.daemon().client().get(&format!("/api/v1/devices/{id}")).ok(200)
    }

    pub fn wait_for(&self, id: &str, state: &str) {
        self.wait_until(id, "state", &json!(state));
    }

    pub fn wait_until(&self, id: &str, field: &str, value: &Value) {
        let client = self.daemon().client();
        let what = format!("{id} has {field} {value}");
        patiently(LONG, &what, || {
            // It may be put just now.
            let device = client.get(&format!("/api/v1/devices/{id}"));
            (device.status == 200 && device.json()[field] == *value).then_some(())
        });
    }

    pub fn open(&self, device: &str) -> String {
        ask_open(&self.daemon().client(), device)
    }

    /// Hears what there is.
    fn hear(&mut self) {
        let Some(heard) = &self.heard else { return };
        while let Ok((at, (id, name, data))) = heard.try_recv() {
            // News have none.
            if !id.is_empty() {
                self.last = id;
            }
            let text = |field: &str| data[field].as_str().unwrap_or_default().to_owned();
            match name.as_str() {
                "drawerEnded" => {
                    self.ended.insert(text("jobId"), (text("outcome"), text("detail")));
                }
                "drawerAlarm" => self.alarms += 1,
                "scan" => self.scans.push((at, data)),
                _ => {}
            }
        }
    }

    /// Whether it is known what became of an opening.
    pub fn has_ended(&mut self, job: &str) -> bool {
        self.hear();
        self.ended.contains_key(job)
    }

    /// What became of an opening.
    pub fn outcome(&mut self, job: &str) -> (String, String) {
        patiently(LONG, "the opening has an outcome", || {
            self.hear();
            self.ended.get(job).cloned()
        })
    }

    /// The openings without a command that the journal has.
    pub fn alarms(&mut self) -> usize {
        // Whatever happened before this has been heard when this is.
        let end = put_a_pen(&self.daemon().client());
        patiently(LONG, "all events are heard", || {
            self.hear();
            (self.last == end).then_some(self.alarms)
        })
    }

    pub fn wait_for_alarms(&mut self, alarms: usize) {
        patiently(LONG, "there are as many alarms", || {
            self.hear();
            (self.alarms >= alarms).then_some(())
        });
    }

    pub fn wait_for_scans(&mut self, scans: usize) {
        patiently(LONG, "there are as many scans", || {
            self.hear();
            (self.scans.len() >= scans).then_some(())
        });
    }
}
