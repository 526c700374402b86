//! Shows how far a run is: a bar on a terminal, a line for each step elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// The progress of one measurement. Dropped early, it leaves the terminal clean.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    name: &'static str,
    total: usize,
    done: usize,
}

impl Progress {
    /// Of `total` steps.
    pub fn new(name: &'static str, total: usize) -> Self {
        let bar = ProgressBar::new(total as u64).with_prefix(name);
        // The template is fixed; were it wrong, the plain bar would do.
        if let Ok(style) =
            ProgressStyle::with_template("{prefix:>9} {bar:32} {pos}/{len} · {eta} left · {wide_msg}")
        {
            bar.set_style(style);
        }
        // Slow: the bench shares its processors with what it measures.
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, name, total, done: 0 }
    }

    /// One step is done; `message` says what came out.
    pub fn step(&mut self, message: &str) {
        self.done += 1;
        self.bar.inc(1);
        if self.bar.is_hidden() {
            eprintln!("{} {}/{}: {message}", self.name, self.done, self.total);
        } else {
            self.bar.set_message(message.to_owned());
        }
    }

    /// What counts steps of a size known elsewhere, from any task; prints no lines.
    pub fn counter(&self) -> impl Fn(u64) + Clone + Send + 'static {
        let bar = self.bar.clone();
        move |steps| bar.inc(steps)
    }

    /// All steps are done.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
