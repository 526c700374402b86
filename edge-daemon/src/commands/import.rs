//! `catalog import`

use std::path::Path;
use std::sync::Arc;

use super::bar::Bar;
use super::failure::{Code, Failure};
use super::{Place, data_dir, small_runtime};
use crate::catalog_csv::{MAX_FILE_BYTES, Note};
use crate::checkout::{self, OpenOptions};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::control::{Client, Imported, Reply, Request};
use crate::lock::{self, LockError};

/// Left out lines that are listed without `--all`.
const LISTED: usize = 20;

pub(super) fn import(place: &Place, file: &Path, all: bool) -> Result<(), Failure> {
    let content = read(file)?;
    let mut heard = Heard { bar: Some(Bar::new()), skipped: Vec::new(), warnings: Vec::new() };
    let dir = data_dir(place)?;
    let last = match lock::take(&dir) {
        Err(LockError::Taken { .. }) => small_runtime()?.block_on(async {
            let request = Request::Import { bytes: content.len() as u64 };
            Client::connect(&dir).await?.ask(&request, &content, |reply| heard.hear(reply)).await
        })?,
        Err(error) => return Err(error.into()),
        Ok(_lock) => import_here(place, &content, &mut heard)?,
    };
    heard.bar = None;
    match last {
        Reply::Imported(imported) => {
            report(&imported, &heard, all);
            Ok(())
        }
        Reply::Failed(failed) => {
            Err(Failure::new(Code::Failed, failed.what, "correct that and import again"))
        }
        other => {
            Err(Failure::new(Code::Failed, format!("unexpected answer {other:?}"), "use the same version"))
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        let what = format!("cannot read {}: {error}", file.display());
        Failure::new(Code::Failed, what, "check the file's name and permissions")
    };
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > MAX_FILE_BYTES as u64 {
        let what = format!("{} has more than 64 MiB", file.display());
        return Err(Failure::new(Code::Failed, what, "split it and import the parts"));
    }
    std::fs::read(file).map_err(failed)
}

/// No daemon runs: opens the shop for the one command.
fn import_here(place: &Place, content: &[u8], heard: &mut Heard) -> Result<Reply, Failure> {
    let config = Config::load(&place.config, &place.flags(None))?;
    let (shop, running) = checkout::open(OpenOptions {
        root: config.data.dir,
        segment_bytes: config.data.segment_bytes,
        cache_bytes: config.data.cache_bytes,
        store: config.store,
        zone: Arc::new(config.zone),
        clock: Arc::new(SystemClock::new()),
    })?;
    let mut last = None;
    crate::control::import(&shop, content, &mut |reply| {
        if reply.is_last() {
            last = Some(reply);
        } else {
            heard.hear(reply);
        }
    });
    let fatal = running.is_fatal();
    let stopped = running.stop();
    if fatal {
        return Err(Failure::new(
            Code::Disk,
            "the disk failed while writing",
            "run `edge-daemon doctor`, then again",
        ));
    }
    let unsealed = |error| Failure::new(Code::Failed, error, "nothing is lost; run `edge-daemon doctor`");
    stopped.map_err(unsealed)?;
    last.ok_or_else(|| Failure::new(Code::Failed, "the import ended without a result", "run it again"))
}

struct Heard {
    bar: Option<Bar>,
    skipped: Vec<Note>,
    warnings: Vec<Note>,
}

impl Heard {
    fn hear(&mut self, reply: Reply) {
        match (reply, &mut self.bar) {
            (Reply::Progress(progress), Some(bar)) => bar.show(&progress),
            (Reply::Skipped(note), _) => self.skipped.push(note),
            (Reply::Warning(note), _) => self.warnings.push(note),
            _ => {}
        }
    }
}

fn report(imported: &Imported, heard: &Heard, all: bool) {
    let Imported { products, changed, skipped } = imported;
    let (end, lines) = (if *skipped == 0 { "" } else { ":" }, if *skipped == 1 { "line" } else { "lines" });
    println!("{products} products imported, {skipped} {lines} skipped{end}");
    list(&heard.skipped, *skipped, all);
    if changed < products {
        println!("{} of them stood in the catalogue like that already", products - changed);
    }
    if !heard.warnings.is_empty() {
        println!("{} remarks about lines that were taken:", heard.warnings.len());
        list(&heard.warnings, heard.warnings.len() as u64, all);
    }
}

fn list(notes: &[Note], count: u64, all: bool) {
    let shown = if all { notes.len() } else { notes.len().min(LISTED) };
    for Note { line, reason } in notes.iter().take(shown) {
        println!("  line {line}: {reason}");
    }
    let rest = count.saturating_sub(shown as u64);
    if rest > 0 {
        println!("  and {rest} more{}", if all { "" } else { "; list them with --all" });
    }
}
