//! One scan line over a label: ink, blur, a hand that is not steady, edges that are lost.

use firmware::{Level, Run};

use super::{Label, Random};

/// Ticks of a module at the usual speed.
pub(crate) const TICKS: f64 = 100.0;
/// Samples of a module when blur is worked out.
const FINE: usize = 16;

/// How bad it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Day {
    /// Standard deviation of each edge's place, in modules.
    pub(crate) jitter: f64,
    /// The most by which ink spread or shrank, in modules.
    pub(crate) ink: f64,
    /// Width of the spot that the sensor sees, in modules: everything is averaged over it, twice.
    pub(crate) blur: f64,
    /// The speed goes from anything to anything between its half and its double, with a turn between.
    pub(crate) hand: bool,
    /// Of a hundred lines so many lose an element, of which both edges are dropped.
    pub(crate) dropped: usize,
}

/// What the sensor sees in one pass.
#[derive(Debug, Clone)]
pub(crate) struct Line(pub(crate) Vec<Run>);

impl Line {
    /// A pass over a label on which ink spread by `ink` modules.
    pub(crate) fn over(label: &Label, ink: f64, day: &Day, random: &mut Random) -> Self {
        let mut edges = Vec::with_capacity(label.widths.len() + 1);
        let mut at = 0.0;
        edges.push(at);
        for (place, width) in label.widths.iter().enumerate() {
            at += width;
            // Places are light, dark in turns: what ends a dark one moves out, what ends a light one moves in.
            let moved = if place % 2 == 1 { ink / 2.0 } else { -ink / 2.0 };
            edges.push(if place + 1 == label.widths.len() { at } else { at + moved });
        }
        if day.blur > 0.0 {
            edges = blurred(&edges, day.blur);
        }
        let last = edges.len() - 1;
        for edge in &mut edges[1..last] {
            *edge += day.jitter * random.bell();
        }
        if random.below(100) < day.dropped && edges.len() > 4 {
            let at = 1 + random.below(edges.len() - 3);
            edges.drain(at..at + 2);
        }
        let ticks = timed(&edges, day.hand, random);
        let mut runs: Vec<Run> = ticks
            .into_iter()
            .enumerate()
            .map(|(at, ticks)| Run { level: if at % 2 == 0 { Level::Light } else { Level::Dark }, ticks })
            .collect();
        if random.below(2) == 1 {
            runs.reverse();
        }
        Self(runs)
    }
}

/// The edges as they are seen through a wide spot: where the average over it is one half.
fn blurred(edges: &[f64], spot: f64) -> Vec<f64> {
    let samples = (edges[edges.len() - 1] * FINE as f64) as usize;
    let mut dark = vec![0.0f64; samples];
    for pair in edges[1..edges.len() - 1].chunks(2) {
        let (from, to) = (pair[0] * FINE as f64, pair[1] * FINE as f64);
        for (at, sample) in dark.iter_mut().enumerate().take(to as usize + 1).skip(from as usize) {
            *sample += (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0);
        }
    }
    let half = (spot * FINE as f64 / 2.0) as usize;
    for _ in 0..2 {
        let mut sums = vec![0.0];
        sums.extend(dark.iter().scan(0.0, |sum, sample| {
            *sum += sample;
            Some(*sum)
        }));
        dark = (0..samples)
            .map(|at| {
                let (from, to) = (at.saturating_sub(half), (at + half + 1).min(samples));
                (sums[to] - sums[from]) / (to - from) as f64
            })
            .collect();
    }
    let mut seen = vec![0.0];
    for at in 1..samples {
        let (before, after) = (dark[at - 1] - 0.5, dark[at] - 0.5);
        if (before < 0.0) != (after < 0.0) {
            seen.push((at as f64 - 0.5 + before / (before - after)) / FINE as f64);
        }
    }
    seen.push(edges[edges.len() - 1]);
    seen
}

/// The time between edges, in ticks.
fn timed(edges: &[f64], hand: bool, random: &mut Random) -> Vec<u32> {
    let speeds = [0, 1, 2].map(|_| if hand { random.between(-1.0, 1.0) } else { 0.0 });
    let (turn, end) = (random.between(0.3, 0.7), edges[edges.len() - 1]);
    let speed = |at: f64| {
        let along = (at / end).clamp(0.0, 1.0);
        let exponent = if along < turn {
            speeds[0] + (speeds[1] - speeds[0]) * along / turn
        } else {
            speeds[1] + (speeds[2] - speeds[1]) * (along - turn) / (1.0 - turn)
        };
        exponent.exp2()
    };
    let pieces = edges.windows(2);
    pieces
        .map(|pair| ((pair[1] - pair[0]) * TICKS / speed((pair[0] + pair[1]) / 2.0)).round().max(1.0) as u32)
        .collect()
}
