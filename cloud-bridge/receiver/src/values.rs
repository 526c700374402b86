//! The journal's values as PostgreSQL has them. Whatever a record says can be stored: what PostgreSQL has no room for is brought
//! to the nearest that it has, and the record keeps what was said.

use std::borrow::Cow;
use std::error::Error;

use bytes::BytesMut;
use pos_domain::seal::Sealed;
use pos_domain::time::{Date, Millis};
use pos_journal::{Digest, EpochId, Evidence, Position};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const TO_2000: i64 = 946_684_800_000_000;
/// 4713 BC, where `timestamptz` begins; it ends beyond what fits into an `i64` of microseconds since 1970.
const FIRST_MOMENT: i64 = -211_813_488_000_000_000;
/// Days from 1970 to 2000.
const DAYS_TO_2000: i32 = 10_957;
/// 4713 BC; the other end of `date` is beyond the domain's.
const FIRST_DAY: i32 = -2_451_545;

/// A `timestamptz`: microseconds since 2000, as the binary form has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub(crate) i64);

impl From<Millis> for Moment {
    fn from(at: Millis) -> Self {
        let micros = at.0.saturating_mul(1000).saturating_sub(TO_2000);
        Self(micros.max(FIRST_MOMENT))
    }
}

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql(&Type::INT8, out)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        i64::from_sql(&Type::INT8, raw).map(Self)
    }

    accepts!(TIMESTAMPTZ);
}

/// A `date`: days since 2000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(i32);

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self(date.0.saturating_sub(DAYS_TO_2000).max(FIRST_DAY))
    }
}

impl ToSql for Day {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql(&Type::INT4, out)
    }

    accepts!(DATE);
    to_sql_checked!();
}

/// Text without the one character that PostgreSQL's cannot hold.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Sealed data: subject, nonce, ciphertext.
pub(crate) fn sealed(sealed: &Sealed) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(40 + sealed.ciphertext.len());
    bytes.extend_from_slice(&sealed.subject);
    bytes.extend_from_slice(&sealed.nonce);
    bytes.extend_from_slice(&sealed.ciphertext);
    bytes
}

/// An epoch's name as the `bigint` of the same bits.
pub(crate) fn epoch_bits(epoch: EpochId) -> i64 {
    epoch.0.cast_signed()
}

/// The reverse of [`epoch_bits`].
pub(crate) fn epoch_of(bits: i64) -> EpochId {
    EpochId(bits.cast_unsigned())
}

/// A record's number. More than `bigint` holds cannot follow anything that is here.
pub(crate) fn seq_bits(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// The reverse of [`seq_bits`]; a version, likewise.
pub(crate) fn seq_of(bits: i64) -> u64 {
    u64::try_from(bits).unwrap_or(0)
}

/// A record's place, from its columns.
pub(crate) fn position(epoch: i64, seq: i64) -> Position {
    Position { epoch: epoch_of(epoch), seq: seq_of(seq) }
}

/// A hash, from its column; one of another length equals none.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    bytes.try_into().unwrap_or([0; 32])
}

/// The parent of an epoch, from its columns.
pub(crate) fn evidence(epoch: Option<i64>, seq: Option<i64>, hash: Option<Vec<u8>>) -> Option<Evidence> {
    Some(Evidence { position: position(epoch?, seq?), hash: digest(&hash?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days_count_from_2000_and_stay_within_what_postgresql_has() {
        assert_eq!(Moment::from(Millis(946_684_800_001)), Moment(1000));
        assert_eq!(Moment::from(Millis(i64::MIN)), Moment(FIRST_MOMENT));
        assert_eq!(Moment::from(Millis(i64::MAX)), Moment(i64::MAX - TO_2000));
        assert_eq!(Day::from(Date(10_958)), Day(1));
        assert_eq!(Day::from(Date(i32::MIN)), Day(FIRST_DAY));
    }

    #[test]
    fn an_epoch_of_any_bits_comes_back() {
        for bits in [1, u64::MAX, 1 << 63] {
            assert_eq!(epoch_of(epoch_bits(EpochId(bits))), EpochId(bits));
        }
    }

    #[test]
    fn text_loses_only_its_zero_characters() {
        assert_eq!(text("Käse"), "Käse");
        assert_eq!(text("a\0b"), "a\u{fffd}b");
    }
}
