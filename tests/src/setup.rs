//! A store's configuration, as the file that the daemon reads.

use std::path::Path;

/// What the configuration of a test's store says. Everything else is as the daemon has it by default.
#[derive(Debug, Clone)]
pub struct Setup {
    currency: &'static str,
    time_zone: &'static str,
    segment_mib: u32,
    extra: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self { currency: "EUR", time_zone: "UTC", segment_mib: 4, extra: String::new() }
    }
}

impl Setup {
    /// Another currency and time zone.
    #[must_use]
    pub fn at(mut self, currency: &'static str, time_zone: &'static str) -> Self {
        (self.currency, self.time_zone) = (currency, time_zone);
        self
    }

    /// The size of a journal segment.
    #[must_use]
    pub fn segments(mut self, mib: u32) -> Self {
        self.segment_mib = mib;
        self
    }

    /// More sections, as they stand in the file.
    #[must_use]
    pub fn with(mut self, section: &str) -> Self {
        self.extra += section;
        self.extra += "\n";
        self
    }

    pub(crate) fn text(&self, data: &Path) -> String {
        let Self { currency, time_zone, segment_mib, extra } = self;
        format!(
            r#"[store]
tenant = "acme"
store = "corner"
box = "box-1"
name = "Corner Shop"
currency = "{currency}"
time_zone = "{time_zone}"

[tax]
standard = "20.00"
reduced = "5.00"
zero = "0.00"

[data]
dir = "{}"
segment_mib = {segment_mib}
cache_mib = 8

[http]
listen = "127.0.0.1:0"

{extra}"#,
            data.display()
        )
    }
}
