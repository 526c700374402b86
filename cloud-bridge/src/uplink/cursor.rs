//! How far the cloud has the journal, kept over a restart. Losing it costs some sending twice and nothing else.

use std::io;
use std::path::PathBuf;

use pos_journal::Position;

pub(super) struct Cursor {
    path: PathBuf,
    kept: Option<Position>,
}

impl Cursor {
    /// What was kept; nothing where that cannot be read.
    pub(super) fn open(path: PathBuf) -> Self {
        let kept = std::fs::read_to_string(&path).ok().and_then(|text| text.trim_end().parse().ok());
        Self { path, kept }
    }

    pub(super) fn get(&self) -> Option<Position> {
        self.kept
    }

    /// Keeps it: whole or not at all. It is not waited for until it is on disk.
    pub(super) fn keep(&mut self, position: Position) -> io::Result<()> {
        if self.kept == Some(position) {
            return Ok(());
        }
        let beside = self.path.with_extension("new");
        std::fs::write(&beside, format!("{position}\n"))?;
        std::fs::rename(&beside, &self.path)?;
        self.kept = Some(position);
        Ok(())
    }
}
