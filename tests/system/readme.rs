//! What the README tells a person to type works: its shell blocks below a line `<!-- tested -->` are run, in order, in one
//! shell. The line that starts the demo is run as it stands, with a free port and a folder of its own; `curl` must be
//! answered by 2xx.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use tillbox_tests::{Daemon, program, repository, skip};

const MARK: &str = "<!-- tested -->";
/// Where the README says that the demo listens.
const WRITTEN: [&str; 2] = ["127.0.0.1:8480", "localhost:8480"];
/// Makes a refused request a failed command.
const CURL: &str = "curl() { command curl --fail-with-body --silent --show-error \"$@\"; }";

/// The lines of the marked blocks, with continued ones joined.
fn commands(readme: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let (mut marked, mut inside, mut joined) = (false, false, String::new());
    for line in readme.lines() {
        match line.trim() {
            text if text == MARK => marked = true,
            "```sh" if marked => (inside, marked) = (true, false),
            "```" if inside => inside = false,
            "" if !inside => {}
            _ if inside => {
                joined += line;
                if !line.ends_with('\\') {
                    commands.push(std::mem::take(&mut joined));
                } else {
                    joined.push('\n');
                }
            }
            _ => marked = false,
        }
    }
    commands
}

fn starts_the_demo(command: &str) -> bool {
    command.contains("scripts/demo") || command.contains("edge-daemon demo") || command.contains("-- demo")
}

#[test]
fn each_command_of_the_readme_works() {
    let Ok(readme) = std::fs::read_to_string(repository().join("README.md")) else {
        return skip("readme", "there is no README.md");
    };
    let commands = commands(&readme);
    assert!(!commands.is_empty(), "README.md has no block marked {MARK}");
    if Command::new("curl").arg("--version").output().is_err() {
        return skip("readme", "there is no curl");
    }
    let folder = tempfile::tempdir().unwrap();
    let (demo, rest): (Vec<_>, Vec<_>) = commands.iter().partition(|command| starts_the_demo(command));
    let [demo] = demo[..] else { panic!("one command starts the demo, not {demo:?}") };
    let data = folder.path().join("shop");
    let line = demo.trim().trim_end_matches('&').trim();
    let mut start = Command::new("bash");
    // A variable of somebody else's that is not UTF-8 troubles nobody.
    start.env("SOMEBODY", OsStr::from_bytes(b"\xff"));
    start.current_dir(repository()).env("TILLBOX_DAEMON", program()).arg("-c");
    start.arg(format!("exec {line} --listen 127.0.0.1:0 --data '{}'", data.display()));
    let daemon = Daemon::spawn(start, folder.path().join("log"));
    let address = daemon.address().to_string();
    let mut script = format!("set -euo pipefail\n{CURL}\n");
    for command in rest {
        let here = WRITTEN.iter().fold(command.clone(), |text, written| text.replace(written, &address));
        script += &here;
        script.push('\n');
    }
    let output = Command::new("bash").current_dir(repository()).arg("-c").arg(&script).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}\n--- script\n{script}--- said\n{out}{err}", output.status);
    println!("{} commands of the README work", commands.len());
}

#[test]
fn what_setup_says_is_missing_can_be_installed_as_it_says() {
    let tools = tempfile::tempdir().unwrap();
    // Nothing of what it looks for is on this path.
    for tool in ["bash", "dirname", "grep"] {
        let found =
            ["/usr/bin", "/bin"].iter().map(|dir| Path::new(dir).join(tool)).find(|path| path.exists());
        std::os::unix::fs::symlink(found.unwrap(), tools.path().join(tool)).unwrap();
    }
    let mut check = Command::new(tools.path().join("bash"));
    check
        .arg(repository().join("scripts/setup"))
        .arg("--check")
        .env("PATH", tools.path())
        .env("HOME", "/none");
    let output = check.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for expected in [
        "apt-get update && apt-get install --yes --no-install-recommends build-essential",
        "apt-get update && apt-get install --yes --no-install-recommends curl ca-certificates",
        "https://sh.rustup.rs | sh",
    ] {
        assert!(said.contains(expected), "{expected} is not in {said}");
    }
    assert!(!said.contains("rustup_init") && !said.contains(": package"), "{said}");
}

#[test]
fn only_marked_blocks_are_run() {
    let text = "a\n```sh\nrm -rf x\n```\n<!-- tested -->\n\n```sh\ncurl a \\\n  -d b\nls\n```\nend\n";
    assert_eq!(commands(text), ["curl a \\\n  -d b", "ls"]);
    assert!(commands("<!-- tested -->\nprose\n```sh\nls\n```\n").is_empty());
}
