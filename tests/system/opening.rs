//! A daemon that is still opening its journal says so, and can be stopped.

use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt as _;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use tillbox_tests::{Client, Place, Setup, patiently, program};

const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon that opens for ever: what should be the file of keys is a pipe that nobody writes to.
fn opening(place: &Place) -> (Child, Client) {
    let keys = place.data().join("keys");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).unwrap();
    mknodat(CWD, keys.join("persons.keys"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new(program());
    command.args(["run", "--listen", &free.to_string(), "--config"]).arg(place.config());
    (command.spawn().unwrap(), Client::of(free))
}

#[test]
fn a_daemon_that_opens_says_so_and_stops_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new(&Setup::default());
        let (mut child, client) = opening(&place);
        let alive = patiently(PATIENCE, "it answers while it opens", || client.try_get("/livez").ok());
        assert_eq!(alive.status, 200, "{}", alive.text());
        for path in ["/readyz", "/api/v1/store"] {
            let reply = client.get(path);
            assert_eq!((reply.refused(503), reply.header("retry-after")), ("starting".to_owned(), Some("1")));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = patiently(PATIENCE, "it ends while it opens", || child.try_wait().unwrap());
        assert!(ended.success(), "{ended}");
    }
}
