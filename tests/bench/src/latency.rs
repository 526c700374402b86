//! Percentiles of latencies, and medians over rounds.
//!
//! Percentiles are nearest-rank: the p-th is the smallest measured value that at least p percent of all values do
//! not exceed. It is always a value that was really measured; nothing is interpolated or binned.

use std::time::Duration;

/// Latencies as they come, in whole microseconds (at most 71 minutes each).
#[derive(Debug, Default, Clone)]
pub struct Latencies {
    micros: Vec<u32>,
}

/// What is told about a set of latencies, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Percentiles {
    /// Half of all were at most this.
    pub p50: u32,
    /// 99 of 100 were at most this.
    pub p99: u32,
    /// The slowest.
    pub max: u32,
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        self.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Takes over all of another set.
    pub fn merge(&mut self, other: Self) {
        self.micros.extend(other.micros);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.micros.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.micros.is_empty()
    }

    /// Median, p99 and maximum; `None` of nothing.
    pub fn percentiles(mut self) -> Option<Percentiles> {
        self.micros.sort_unstable();
        Some(Percentiles {
            p50: rank(&self.micros, 500)?,
            p99: rank(&self.micros, 990)?,
            max: *self.micros.last()?,
        })
    }

    /// Points of the whole distribution, `(per mille, microseconds)`, for a chart. Empty of nothing.
    pub fn distribution(mut self, per_mille: &[usize]) -> Vec<(usize, u32)> {
        self.micros.sort_unstable();
        per_mille.iter().filter_map(|&at| Some((at, rank(&self.micros, at)?))).collect()
    }
}

/// Nearest rank in sorted values; `per_mille` in 0..=1000.
fn rank(sorted: &[u32], per_mille: usize) -> Option<u32> {
    let rank = (sorted.len() * per_mille).div_ceil(1000);
    sorted.get(rank.max(1) - 1).copied()
}

/// The median: the middle value, or the mean of the two in the middle. `None` of nothing. NaN counts as largest.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(micros: impl IntoIterator<Item = u64>) -> Latencies {
        let mut all = Latencies::default();
        micros.into_iter().for_each(|us| all.record(Duration::from_micros(us)));
        all
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let backwards = latencies((1..=100).rev()).percentiles().unwrap();
        assert_eq!(backwards, Percentiles { p50: 50, p99: 99, max: 100 });
        let thousand = latencies(1..=1000).percentiles().unwrap();
        assert_eq!(thousand, Percentiles { p50: 500, p99: 990, max: 1000 });
        // Of fewer than 100 values p99 is the slowest: never a value better than what was seen.
        assert_eq!(latencies([7, 5, 9]).percentiles().unwrap(), Percentiles { p50: 7, p99: 9, max: 9 });
        assert_eq!(latencies([4]).percentiles().unwrap(), Percentiles { p50: 4, p99: 4, max: 4 });
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Latencies::default().percentiles(), None);
        assert!(Latencies::default().distribution(&[500]).is_empty());
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn merged_sets_count_as_one() {
        let mut slow = latencies([1000; 2]);
        slow.merge(latencies([10; 98]));
        assert_eq!(slow.len(), 100);
        assert_eq!(slow.clone().percentiles().unwrap(), Percentiles { p50: 10, p99: 1000, max: 1000 });
        assert_eq!(slow.distribution(&[500, 980, 990]), [(500, 10), (980, 10), (990, 1000)]);
    }

    #[test]
    fn a_latency_beyond_the_range_is_kept_at_its_end() {
        let all = latencies([u64::from(u32::MAX) + 5]).percentiles().unwrap();
        assert_eq!(all.max, u32::MAX);
    }

    #[test]
    fn median_of_odd_and_even() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[9.0]), Some(9.0));
    }
}
