//! The daemon takes all file descriptors that it may have, and its connections never take those that the journal needs.

use std::process::Command;

use tillbox_tests::{Daemon, Place, Setup, program};

#[test]
fn the_daemon_takes_all_descriptors_and_leaves_some_to_the_journal() {
    let place = Place::new(&Setup::default());
    let mut command = Command::new("bash");
    // As many login shells have it: the soft limit below the hard one.
    let line = "ulimit -Sn 140; ulimit -Hn 160; exec \"$0\" run --config \"$1\"";
    command.arg("-c").arg(line).arg(program()).arg(place.config());
    let daemon = Daemon::spawn(command, place.log());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.process())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<_> = files.split_whitespace().filter_map(|word| word.parse::<u32>().ok()).collect();
    assert_eq!(numbers, [160, 160], "{files}");
    assert!(daemon.last_words().contains("fewer connections than configured"), "{}", daemon.last_words());
    daemon.stop();
}
