//! Charts as plain SVG: one panel for each condition, one horizontal bar for each contestant, every bar with its value.
//!
//! Each panel has its own scale from zero, so that bars within a panel compare by length and panels do not hide
//! one another. Colours stay with a name over all charts.

use std::fmt::Write as _;

const WIDTH: usize = 860;
const LABELS: usize = 190;
const VALUES: usize = 190;
const BAR: usize = 22;
const GAP: usize = 8;
const PANEL_HEAD: usize = 34;
const HEAD: usize = 74;
const FOOT: usize = 34;

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// How to read it, below the title.
    pub subtitle: String,
    /// Where it was measured, at the bottom.
    pub source: String,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

/// Bars that are compared with one another.
#[derive(Debug, Clone)]
pub struct Panel {
    /// The condition.
    pub title: String,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Whose it is.
    pub name: String,
    /// Its length; not negative.
    pub value: f64,
    /// The lowest and highest round, drawn as a thin line.
    pub range: Option<(f64, f64)>,
    /// What stands at its end.
    pub label: String,
}

impl Chart {
    /// The SVG document.
    pub fn svg(&self) -> String {
        let panel_height = |panel: &Panel| PANEL_HEAD + panel.bars.len() * (BAR + GAP) + GAP;
        let height = HEAD + self.panels.iter().map(panel_height).sum::<usize>() + FOOT;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\" role=\"img\" aria-label=\"{title}\">\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             <text x=\"24\" y=\"34\" font-size=\"19\" font-weight=\"600\" fill=\"#1b1f24\">{title}</text>\n\
             <text x=\"24\" y=\"56\" fill=\"#57606a\">{subtitle}</text>\n",
            title = escape(&self.title),
            subtitle = escape(&self.subtitle),
        );
        let mut y = HEAD;
        for panel in &self.panels {
            panel.draw(&mut svg, y);
            y += panel_height(panel);
        }
        // Writing into a String cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"24\" y=\"{}\" font-size=\"11\" fill=\"#6e7781\">{}</text>\n</svg>",
            height - 14,
            escape(&self.source)
        );
        svg
    }
}

impl Panel {
    fn draw(&self, svg: &mut String, top: usize) {
        let reach = |bar: &Bar| bar.range.map_or(bar.value, |(_, high)| high.max(bar.value));
        let largest = self.bars.iter().map(reach).fold(0.0, f64::max);
        let room = (WIDTH - LABELS - VALUES - 24) as f64;
        let scale = |value: f64| if largest > 0.0 { value.max(0.0) / largest * room } else { 0.0 };
        let left = LABELS as f64 + 24.0;
        let _ = writeln!(
            svg,
            "<line x1=\"24\" x2=\"{}\" y1=\"{top}\" y2=\"{top}\" stroke=\"#d8dee4\"/>\n\
             <text x=\"24\" y=\"{}\" font-weight=\"600\" fill=\"#1b1f24\">{}</text>",
            WIDTH - 24,
            top + 22,
            escape(&self.title)
        );
        for (number, bar) in self.bars.iter().enumerate() {
            let y = top + PANEL_HEAD + number * (BAR + GAP);
            let middle = y as f64 + BAR as f64 / 2.0;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"#1b1f24\">{}</text>\n\
                 <rect x=\"{left}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\" fill=\"{}\"/>",
                LABELS + 14,
                middle + 4.5,
                escape(&bar.name),
                scale(bar.value).max(1.0),
                colour(&bar.name)
            );
            if let Some((low, high)) = bar.range {
                let _ = writeln!(
                    svg,
                    "<line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle}\" y2=\"{middle}\" stroke=\"#1b1f24\" stroke-opacity=\"0.55\" \
                     stroke-width=\"1.5\"/>",
                    left + scale(low),
                    left + scale(high)
                );
            }
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.0}\" fill=\"#1b1f24\">{}</text>",
                left + scale(reach(bar)) + 8.0,
                middle + 4.5,
                escape(&bar.label)
            );
        }
    }
}

fn colour(name: &str) -> &'static str {
    match name {
        "edge-daemon" => "#1a7f5a",
        "peer-sqlite" => "#4c78a8",
        "peer-postgres" => "#b279a2",
        "peer-null" => "#c9ced4",
        _ => "#9aa2ab",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        let bar = |name: &str, value| Bar {
            name: name.to_owned(),
            value,
            range: None,
            label: format!("{value}/s"),
        };
        Chart {
            title: "Sales & <more>".to_owned(),
            subtitle: String::new(),
            source: String::new(),
            panels: vec![Panel {
                title: "1".to_owned(),
                bars: vec![bar("edge-daemon", 200.0), bar("x", 50.0)],
            }],
        }
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        let svg = chart().svg();
        let widths: Vec<f64> = svg
            .split("<rect x=")
            .skip(1)
            .map(|rect| rect.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(widths.len(), 2);
        assert!((widths[0] / widths[1] - 4.0).abs() < 0.01, "{widths:?}");
    }

    #[test]
    fn text_is_escaped_and_nothing_measured_is_no_division_by_zero() {
        let mut chart = chart();
        chart.panels[0].bars.iter_mut().for_each(|bar| bar.value = 0.0);
        let svg = chart.svg();
        assert!(svg.contains("Sales &amp; &lt;more&gt;") && !svg.contains("NaN") && !svg.contains("inf"));
    }
}
