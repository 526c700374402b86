//! What a run leaves: a table for people, JSON for programs, charts.

use crate::chart::{Bar, Chart, Panel};
use crate::failure::Failure;
use crate::figures::{
    CatchUpFigures, Entrant, Floor, ProductFigures, RebuildFigures, SalesFigures, SalesRow, ScanFigures,
    Spread, Verdict,
};
use crate::machine::Machine;
use crate::quiet::MAX_SHARE;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

/// Everything that a run has measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// With what.
    pub versions: Versions,
    /// The seed that repeats the run's sales.
    pub seed: u64,
    /// Turns of each contestant.
    pub rounds: usize,
    /// Seconds that each turn was counted.
    pub turn_seconds: f64,
    /// Sales, where they were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sales: Option<SalesFigures>,
    /// Look-ups, where they were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub products: Option<ProductFigures>,
    /// Scans, where they were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scans: Option<ScanFigures>,
    /// The long journal, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<RebuildFigures>,
    /// Where it was measured.
    pub catch_up: Option<CatchUpFigures>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// What the peers are built on.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// The linked SQLite, and its system call for a sync.
    pub sqlite: String,
    /// The PostgreSQL server, where there is one.
    pub postgres: Option<String>,
}

impl Report {
    /// All floors that this run can judge.
    pub fn floors(&self) -> Vec<Floor> {
        let sales = self.sales.iter().flat_map(SalesFigures::floors);
        let products = self.products.iter().flat_map(ProductFigures::floors);
        let rebuild = self.rebuild.iter().flat_map(RebuildFigures::floors);
        let scans = self.scans.iter().map(ScanFigures::floor);
        let catch_up = self.catch_up.iter().flat_map(CatchUpFigures::floors);
        sales.chain(products).chain(scans).chain(rebuild).chain(catch_up).collect()
    }

    /// Writes `report.md`, `report.json` and the charts into `directory`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), Failure> {
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            std::fs::write(&path, text).map_err(Failure::file("write", &path))
        };
        let json = serde_json::to_string_pretty(self)
            .map_err(|e| Failure::file("write", directory.join("report.json"))(e.into()))?;
        write("report.json", &json)?;
        write("report.md", &self.markdown())?;
        if let Some(sales) = &self.sales {
            write("sales.svg", &self.sales_chart(sales).svg())?;
            write("latency.svg", &self.latency_chart(sales).svg())?;
        }
        if let Some(products) = self.products.as_ref().filter(|products| !products.rows.is_empty()) {
            write("products.svg", &self.products_chart(products).svg())?;
        }
        Ok(())
    }

    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        let m = &self.machine;
        let mut text = format!(
            "# Figures\n\n\
             Measured {} at commit {} on {} ({} processors, {} MiB), Linux {}, {} (device cache: {}). \
             {} rounds of {} s, contestants in turn; figures are medians, in brackets the lowest and highest \
             round. SQLite {}{}. Seed {}.\n",
            m.measured_at,
            m.commit,
            m.processor,
            m.cores,
            m.memory_mib,
            m.kernel,
            m.file_system,
            m.write_cache,
            self.rounds,
            self.turn_seconds,
            self.versions.sqlite,
            self.versions.postgres.as_ref().map_or_else(String::new, |version| format!(", {version}")),
            self.seed,
        );
        if let Some(sales) = &self.sales {
            sales_table(&mut text, sales);
        }
        if let Some(products) = &self.products {
            products_table(&mut text, products);
        }
        if let Some(scans) = &self.scans {
            scans_table(&mut text, scans);
        }
        if let Some(rebuild) = &self.rebuild {
            rebuild_table(&mut text, rebuild);
        }
        if let Some(catch_up) = &self.catch_up {
            catch_up_table(&mut text, catch_up);
        }
        if self.is_disturbed() {
            line(
                &mut text,
                format_args!(
                    "\n**Disturbed (⚠):** in more than half of the marked turns other programs used over {:.0} % of the \
                     processors. That slows contestants unequally, single writers most: those figures are no \
                     measure of the contestants and decide no floor. Run again on a quiet machine.",
                    MAX_SHARE * 100.0
                ),
            );
        }
        floors_table(&mut text, &self.floors());
        if !self.notes.is_empty() {
            text.push_str("\n## Not measured\n\n");
            self.notes.iter().for_each(|note| line(&mut text, format_args!("- {note}")));
        }
        text
    }

    fn is_disturbed(&self) -> bool {
        let sales = self.sales.iter().flat_map(|sales| &sales.rows).any(|row| !row.quiet);
        let products = self.products.iter().flat_map(|products| &products.rows).any(|row| !row.quiet);
        let scans = self.scans.as_ref().is_some_and(|scans| !scans.quiet);
        let catch_up = self.catch_up.as_ref().is_some_and(|catch_up| !catch_up.quiet);
        let rebuild = self.rebuild.as_ref().is_some_and(|rebuild| !rebuild.quiet);
        sales || products || scans || rebuild || catch_up
    }

    /// A chart may be seen without its report: where its figures are no measure, it says so itself.
    fn title(&self, text: &str) -> String {
        if self.is_disturbed() { format!("{text} (disturbed: no measure)") } else { text.to_owned() }
    }

    fn source(&self) -> String {
        let m = &self.machine;
        format!(
            "{} × {} · Linux {} · {} · commit {} · {}",
            m.cores, m.processor, m.kernel, m.file_system, m.commit, m.measured_at
        )
    }

    fn sales_chart(&self, sales: &SalesFigures) -> Chart {
        // What stores nothing would only shorten the bars that matter; it stands in the table.
        let panels = panels(sales, |row| Bar {
            name: row.name.clone(),
            value: row.rate.median,
            range: Some((row.rate.low, row.rate.high)),
            label: format!("{}/s", grouped(row.rate.median)),
        });
        Chart {
            title: self.title("Durable sales a second"),
            subtitle: "12 lines, 1 payment, 12 stock movements; on disk before the answer. More is better; thin line: all rounds"
                .to_owned(),
            source: self.source(),
            panels,
        }
    }

    fn latency_chart(&self, sales: &SalesFigures) -> Chart {
        let panels = panels(sales, |row| Bar {
            name: row.name.clone(),
            value: row.p99.median,
            range: Some((row.p99.low, row.p99.high)),
            label: format!("{} ms", millis(row.p99.median)),
        });
        Chart {
            title: self.title("Latency of a durable sale, 99th percentile"),
            subtitle: "From the first byte sent to the last byte read, at full load. Less is better; thin line: all rounds".to_owned(),
            source: self.source(),
            panels,
        }
    }

    fn products_chart(&self, products: &ProductFigures) -> Chart {
        let points = [(500, "p50"), (990, "p99"), (999, "p99.9")];
        let at = |distribution: &[(usize, u32)], point| {
            distribution.iter().find(|(at, _)| *at == point).map(|(_, micros)| f64::from(*micros))
        };
        let bar = |name: String, value: f64| Bar {
            name,
            value,
            range: None,
            label: format!("{} ms", millis(value)),
        };
        let panel = |(point, title): (usize, &str)| Panel {
            title: title.to_owned(),
            bars: (products.rows.iter())
                .flat_map(|row| {
                    let null = at(&row.null_distribution, point)
                        .map(|v| bar(format!("null beside {}", row.name), v));
                    let found = at(&row.distribution, point).map(|v| bar(row.name.clone(), v));
                    [null, found].into_iter().flatten()
                })
                .collect(),
        };
        Chart {
            title: self.title(&format!("Finding one of {} products", grouped(products.products as f64))),
            subtitle: "64 tills ask 10 times a second each while 100 sales/s are written; from when a question was due".to_owned(),
            source: self.source(),
            panels: points.into_iter().map(panel).collect(),
        }
    }
}

fn panels(sales: &SalesFigures, bar: impl Fn(&SalesRow) -> Bar) -> Vec<Panel> {
    let mut connections: Vec<usize> = sales.rows.iter().map(|row| row.connections).collect();
    connections.sort_unstable();
    connections.dedup();
    let panel = |count: usize| Panel {
        title: format!("{count} connection{}", if count == 1 { "" } else { "s" }),
        bars: (sales.rows.iter().filter(|row| row.connections == count && row.entrant != Entrant::Null))
            .map(&bar)
            .collect(),
    };
    connections.into_iter().map(panel).filter(|panel| !panel.bars.is_empty()).collect()
}

/// Writing into a String cannot fail.
fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{arguments}");
}

fn sales_table(text: &mut String, sales: &SalesFigures) {
    text.push_str("\n## Durable sales\n\n");
    let told = if sales.record_bytes_measured {
        "what the daemon writes for a sale"
    } else {
        "assumed, no daemon was asked"
    };
    line(
        text,
        format_args!(
            "A raw append has {} bytes ({told}). `peer-null` stores nothing: it shows what HTTP and the load \
        generator leave. CPU is processor time for a sale, of the contestant and of the load generator.\n",
            sales.record_bytes
        ),
    );
    line(
        text,
        format_args!(
            "| contestant | connections | sales/s | p50 ms | p99 ms | CPU µs | client CPU µs | quiet turns |"
        ),
    );
    line(text, format_args!("|---|---:|---:|---:|---:|---:|---:|---:|"));
    for row in &sales.rows {
        let whole =
            |micros: Option<f64>| micros.map_or_else(|| "–".to_owned(), |micros| format!("{micros:.0}"));
        line(
            text,
            format_args!(
                "| {} | {} | {} ({}–{}) | {} | {} | {} | {} | {}/{}{} |",
                row.name,
                row.connections,
                grouped(row.rate.median),
                grouped(row.rate.low),
                grouped(row.rate.high),
                millis(row.p50.median),
                millis(row.p99.median),
                whole(row.server_micros),
                whole(row.client_micros),
                row.turns.iter().filter(|turn| turn.others <= MAX_SHARE).count(),
                row.turns.len(),
                mark(row.quiet),
            ),
        );
    }
}

fn products_table(text: &mut String, products: &ProductFigures) {
    line(text, format_args!("\n## Finding one of {} products\n", grouped(products.products as f64)));
    text.push_str(
        "64 clients ask 10 times a second each, on schedule; latencies count from when a request was due. Meanwhile 100 sales \
         a second are written to the same contestant.\n\n",
    );
    line(
        text,
        format_args!(
            "| contestant | p99 ms | null endpoint p99 ms | difference ms | sales/s written | quiet |"
        ),
    );
    line(text, format_args!("|---|---:|---:|---:|---:|---|"));
    for row in &products.rows {
        line(
            text,
            format_args!(
                "| {} | {} | {} | {} ({}–{}) | {:.0} | {}{} |",
                row.name,
                millis(row.p99.median),
                millis(row.null_p99.median),
                millis(row.difference.median),
                millis(row.difference.low),
                millis(row.difference.high),
                row.sales_rate,
                if row.quiet { "yes" } else { "no" },
                mark(row.quiet),
            ),
        );
    }
}

fn scans_table(text: &mut String, scans: &ScanFigures) {
    line(
        text,
        format_args!(
            "\n## {} scans among {} products\n",
            grouped(scans.scans as f64),
            grouped(scans.products as f64)
        ),
    );
    text.push_str(
        "8 scanners scan 10 times a second each. Counted from when a scan is put on the wire to when the event with its \
         product has reached a client; beside it the scanner's driver alone, within the bench.\n\n",
    );
    line(text, format_args!("| p50 ms | p99 ms | driver alone, p99 ms | quiet |\n|---:|---:|---:|---|"));
    let range = |spread: Spread| {
        format!("{} ({}–{})", millis(spread.median), millis(spread.low), millis(spread.high))
    };
    let quiet = if scans.quiet { "yes" } else { "no" };
    line(
        text,
        format_args!(
            "| {} | {} | {} | {quiet}{} |",
            range(scans.p50),
            range(scans.p99),
            range(scans.driver_p99),
            mark(scans.quiet)
        ),
    );
}

fn rebuild_table(text: &mut String, figures: &RebuildFigures) {
    let seconds = |spread: Spread| format!("{:.3} ({:.3}–{:.3})", spread.median, spread.low, spread.high);
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    line(
        text,
        format_args!(
            "\n## After {} sales and {} products\n",
            grouped(figures.sales as f64),
            grouped(figures.products as f64)
        ),
    );
    line(text, format_args!("| figure | value |\n|---|---:|"));
    let rate = figures.rebuild_rate;
    let range = format!("{} ({}–{})", grouped(rate.median), grouped(rate.low), grouped(rate.high));
    line(text, format_args!("| rebuild of all views, sales/s | {range} |"));
    line(
        text,
        format_args!("| start with intact views, s until ready | {} |", seconds(figures.start_intact)),
    );
    line(
        text,
        format_args!("| start without views, s until ready | {} |", seconds(figures.start_without_views)),
    );
    line(
        text,
        format_args!("| resident memory before the first sale, MB | {} |", megabytes(figures.memory_before)),
    );
    line(
        text,
        format_args!(
            "| resident memory after the last sale, MB | {} |",
            megabytes(figures.memory_after_sales)
        ),
    );
    line(
        text,
        format_args!("| resident memory after a rebuild, MB | {} |", megabytes(figures.memory_after_rebuild)),
    );
    line(text, format_args!("| journal, bytes for a sale | {:.0} |", figures.journal_bytes_per_sale));
    line(text, format_args!("| views, bytes for a sale | {:.0} |", figures.view_bytes_per_sale));
}

fn catch_up_table(text: &mut String, figures: &CatchUpFigures) {
    let events = grouped(figures.events as f64);
    line(text, format_args!("\n## Catching up with {events} events of {:.0} bytes\n", figures.event_bytes));
    line(text, format_args!("| way | events/s |\n|---|---:|"));
    let rows = [
        ("into the receiver's hand: decoded, chain verified, acknowledged", figures.hand),
        ("Mosquitto's bridge, QoS 1, without TLS", figures.bridge),
        ("to committed rows, by cloud-receiver", figures.rows),
        ("the same rows by COPY from files", figures.copy),
        ("the same rows by an INSERT each, a transaction an event", figures.inserts),
    ];
    for (what, rate) in rows {
        let range = format!("{} ({}–{})", grouped(rate.median), grouped(rate.low), grouped(rate.high));
        line(text, format_args!("| {what} | {range}{} |", mark(figures.quiet)));
    }
    line(text, format_args!("\nOf each byte of the journal {:.2} travelled.", figures.travelled));
}

fn floors_table(text: &mut String, floors: &[Floor]) {
    if floors.is_empty() {
        return;
    }
    text.push_str("\n## Floors\n\n| figure | bound | measured | |\n|---|---:|---:|---|\n");
    for floor in floors {
        let sign = if floor.at_least { "≥" } else { "≤" };
        let met = match floor.verdict() {
            Verdict::Met => "met",
            Verdict::Missed => "**missed**",
            Verdict::Undecided => "undecided: disturbed by other programs",
        };
        line(
            text,
            format_args!("| {} | {sign} {} | {} | {met} |", floor.what, floor.bound, rounded(floor.measured)),
        );
    }
}

fn mark(quiet: bool) -> &'static str {
    if quiet { "" } else { " ⚠" }
}

/// Three digits where it matters, thousands grouped where there are any.
fn rounded(value: f64) -> String {
    if value.abs() >= 1000.0 { grouped(value) } else { format!("{value:.2}") }
}

/// Microseconds as milliseconds.
fn millis(micros: f64) -> String {
    format!("{:.2}", micros / 1000.0)
}

/// A whole number with its thousands apart: `12,345`.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value <= -0.5 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        assert_eq!(grouped(0.2), "0");
        assert_eq!(grouped(999.0), "999");
        assert_eq!(grouped(1_000.4), "1,000");
        assert_eq!(grouped(-1_234_567.0), "-1,234,567");
        assert_eq!((millis(1234.0), rounded(2.7156)), ("1.23".to_owned(), "2.72".to_owned()));
    }
}
