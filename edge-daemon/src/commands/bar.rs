//! A progress bar on standard error, if that is a terminal; otherwise nothing.

use indicatif::{ProgressBar, ProgressStyle};

use crate::backup::Progress;

/// One bar for a command; it starts again with each stage.
pub(super) struct Bar {
    bar: ProgressBar,
    stage: String,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{msg:>10} [{bar:40}] {bytes}/{total_bytes} {eta}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, stage: String::new() }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        if self.stage != progress.stage {
            self.stage.clone_from(&progress.stage);
            self.bar.reset();
            self.bar.set_message(progress.stage.clone());
        }
        self.bar.set_length(progress.total);
        self.bar.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
