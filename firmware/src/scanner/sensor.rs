//! The bar and space sensor as a front end: a wand, or a row of a linear imager.

use core::time::Duration;

use device_drivers::Moment;

use super::front::{FrontEnd, Seen, Wanted};
use crate::bars::{BarReader, Code, Patience, Reading, Run, Symbologies, Symbology};

/// The front end of a bar and space sensor. It is shown runs.
#[derive(Debug)]
pub struct Sensor {
    reader: BarReader,
    reading: Reading,
}

impl Sensor {
    /// A sensor that has seen nothing. Whether a code is the one before is not for its reader to judge: [`Patience::gone`] is 0.
    #[must_use]
    pub const fn new(reading: Reading) -> Self {
        let patience = Patience { gone: Duration::ZERO, ..reading.patience };
        let reading = Reading { patience, ..reading };
        Self { reader: BarReader::new(reading), reading }
    }
}

impl FrontEnd for Sensor {
    type Sight = Run;

    fn select(&mut self, wanted: Wanted) {
        let each = [
            (Symbology::Ean13, wanted.any(Wanted::EAN_13)),
            (Symbology::Ean8, wanted.any(Wanted::EAN_8)),
            (Symbology::UpcA, wanted.any(Wanted::UPC_A)),
            (Symbology::UpcE, wanted.any(Wanted::UPC_E)),
            (Symbology::Code128, wanted.any(Wanted::CODE_128) || wanted.any(Wanted::GS1_128)),
            (Symbology::Itf, wanted.any(Wanted::ITF)),
        ];
        let wanted = each.into_iter().filter(|(_, wanted)| *wanted);
        let symbologies = wanted.fold(Symbologies::NONE, |set, (symbology, _)| set.with(symbology));
        if symbologies != self.reading.symbologies {
            self.reading.symbologies = symbologies;
            self.reader = BarReader::new(self.reading);
        }
    }

    fn handle(&mut self, run: Run, now: Moment) -> Option<Seen<'_>> {
        self.reader.handle(run, now).map(seen)
    }
}

fn seen(code: &Code) -> Seen<'_> {
    let symbology = match code.identifier.as_bytes() {
        [_, letter, digit] => [*letter, *digit],
        _ => [0, 0],
    };
    Seen { symbology, data: &code.text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars::Level;
    use crate::scanner::tests::BARS;

    #[test]
    fn what_is_not_wanted_is_not_even_looked_for() {
        let mut sensor = Sensor::new(Reading::default());
        for (wanted, reads) in [(Wanted::ALL, 1), (Wanted::UPC_A, 0), (Wanted::EAN_13, 1), (Wanted(0), 0)] {
            sensor.select(wanted);
            let paper = "0".repeat(11);
            let modules = [&paper, BARS, &paper].concat();
            let runs = modules.bytes().map(|module| {
                let level = if module == b'1' { Level::Dark } else { Level::Light };
                Run { level, ticks: 100 }
            });
            assert_eq!(
                runs.filter_map(|run| sensor.handle(run, Moment::default()).map(|_| ())).count(),
                reads
            );
        }
    }
}
