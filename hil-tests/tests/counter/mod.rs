//! A shop whose daemon runs, with lines that boards are plugged in at.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tillbox_hil::{Emulator, KEY};
use tillbox_tests::{Client, Daemon, Place, Setup, patiently};
use uuid::Uuid;

/// Nothing takes nearly so long.
pub const LONG: Duration = Duration::from_secs(60);

pub struct Counter {
    // It is killed before its place goes.
    daemon: Option<Daemon>,
    place: Place,
    ports: TempDir,
    /// All events of the journal and all news since the last start; `None` before it.
    heard: Option<Receiver<(String, String, Value)>>,
    /// Jobs of drawers that have ended: the outcome, and why.
    ended: BTreeMap<String, (String, String)>,
    alarms: usize,
    /// Where in the journal the last event stands that was heard.
    last: String,
    /// Where in the journal the events were followed from.
    begun: Option<String>,
}

/// A board with the drawer's firmware, or `None`, and why.
pub fn board(hardware: &[u8; 8]) -> Option<Emulator> {
    let Some(firmware) = std::env::var_os("TILLBOX_FIRMWARE") else {
        println!("SKIPPED: TILLBOX_FIRMWARE names no firmware; scripts/hil builds it");
        return None;
    };
    Some(Emulator::start_as(firmware.into(), hardware).expect("the emulator starts"))
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
    /// A shop with lines of these names, and drawers on controllers.
    pub fn begin(lines: &[&str], drawers: &[(&str, &[u8; 8])]) -> Self {
        let ports = tempfile::tempdir().unwrap();
        let names: Vec<_> =
            lines.iter().map(|line| format!("serial:{}", ports.path().join(line).display())).collect();
        let mut section = format!("[controllers]\nlines = {names:?}\n");
        for (id, hardware) in drawers {
            section += &format!(
                "[[drawer]]\nid = \"{id}\"\nterminal = \"till-1\"\nport = \"controller:{}\"\n",
                hex(*hardware)
            );
        }
        let place = Place::new(&Setup::default().with(&section));
        let (daemon, heard, begun) = (None, None, None);
        let mut counter = Self {
            place,
            ports,
            daemon,
            heard,
            ended: BTreeMap::new(),
            alarms: 0,
            last: String::new(),
            begun,
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
        (self.ended, self.alarms) = (BTreeMap::new(), 0);
        let (sink, heard) = channel();
        std::thread::spawn(move || {
            while let Ok(Some(event)) =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| events.next_if_any()))
            {
                if sink.send(event).is_err() {
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
        while let Ok((id, name, data)) = heard.try_recv() {
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
}
