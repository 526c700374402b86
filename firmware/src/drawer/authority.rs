//! Whether a request to open is the box's own, and of now.
//!
//! The controller gives a random *challenge*; the box answers with the request and a MAC over challenge and request, by the
//! key that both have. A challenge is good for one answer and a few seconds: a frame that was recorded, or that comes late,
//! opens nothing. It stands in no retained memory, so a reboot ends it too.

use core::time::Duration;

use device_drivers::Moment;
use hmac::{Hmac, Mac as _};
use pos_link::Outcome;
use sha2::Sha256;

/// How long a challenge may be answered.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// Gives challenges, and checks what answers them.
#[derive(Debug)]
pub struct Authority {
    key: [u8; 32],
    challenge: Option<([u8; 16], Moment)>,
}

impl Authority {
    /// One with this key, which the box has too.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, challenge: None }
    }

    /// Takes a challenge that was drawn at random; the one before it is over.
    pub fn challenge(&mut self, nonce: [u8; 16], now: Moment) {
        self.challenge = Some((nonce, now));
    }

    /// Whether this request answers the challenge, which is over then, whatever comes of it.
    ///
    /// # Errors
    /// [`Outcome::StaleChallenge`] or [`Outcome::NotAuthentic`].
    pub fn check(
        &mut self,
        request: u32,
        pulse_ms: u16,
        answer: &[u8; 16],
        now: Moment,
    ) -> Result<(), Outcome> {
        let (nonce, given) = self.challenge.take().ok_or(Outcome::StaleChallenge)?;
        if now.since(given) > GOOD_FOR {
            return Err(Outcome::StaleChallenge);
        }
        let expected = code(&self.key, &nonce, request, pulse_ms).ok_or(Outcome::NotAuthentic)?;
        // In a time that does not depend on how much of it is right.
        expected.verify_truncated_left(answer).map_err(|_| Outcome::NotAuthentic)
    }

    /// Whoever had the challenge is gone.
    pub fn forget(&mut self) {
        self.challenge = None;
    }
}

/// What answers a challenge: the first half of HMAC-SHA-256 (RFC 2104) over `"open"`, the challenge, the request's number and its
/// pulse in milliseconds, both little-endian.
#[must_use]
pub fn mac(key: &[u8; 32], nonce: &[u8; 16], request: u32, pulse_ms: u16) -> [u8; 16] {
    let mut half = [0; 16];
    if let Some(code) = code(key, nonce, request, pulse_ms) {
        half.iter_mut().zip(code.finalize().into_bytes()).for_each(|(to, from)| *to = from);
    }
    half
}

/// `None` never happens: a key of any length is one.
fn code(key: &[u8; 32], nonce: &[u8; 16], request: u32, pulse_ms: u16) -> Option<Hmac<Sha256>> {
    let mut code = Hmac::<Sha256>::new_from_slice(key).ok()?;
    code.update(b"open");
    code.update(nonce);
    code.update(&request.to_le_bytes());
    code.update(&pulse_ms.to_le_bytes());
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NONCE: [u8; 16] = [9; 16];

    #[test]
    fn a_challenge_is_answered_once_in_time_with_the_key_and_for_one_request() {
        let now = Moment::from_micros(1_000_000);
        let answer = mac(&KEY, &NONCE, 5, 150);
        let asked = |key, after, request, pulse, answer: &[u8; 16]| {
            let mut authority = Authority::new(key);
            authority.challenge(NONCE, now);
            let first = authority.check(request, pulse, answer, now + after);
            (first, authority.check(request, pulse, answer, now + after))
        };
        let stale = Err(Outcome::StaleChallenge);
        assert_eq!(asked(KEY, GOOD_FOR, 5, 150, &answer), (Ok(()), stale), "once");
        let late = GOOD_FOR + Duration::from_micros(1);
        assert_eq!(asked(KEY, late, 5, 150, &answer), (stale, stale));
        let wrong = (Err(Outcome::NotAuthentic), stale);
        assert_eq!(asked([8; 32], Duration::ZERO, 5, 150, &answer), wrong);
        assert_eq!(asked(KEY, Duration::ZERO, 6, 150, &answer), wrong);
        assert_eq!(asked(KEY, Duration::ZERO, 5, 151, &answer), wrong);
        let mut near = answer;
        near[15] ^= 1;
        assert_eq!(asked(KEY, Duration::ZERO, 5, 150, &near), wrong);
        assert_eq!(Authority::new(KEY).check(5, 150, &answer, now), stale);
    }

    #[test]
    fn a_later_challenge_ends_the_one_before() {
        let (mut authority, now) = (Authority::new(KEY), Moment::default());
        authority.challenge(NONCE, now);
        authority.challenge([1; 16], now);
        assert_eq!(authority.check(5, 150, &mac(&KEY, &NONCE, 5, 150), now), Err(Outcome::NotAuthentic));
        authority.challenge(NONCE, now);
        authority.forget();
        assert_eq!(authority.check(5, 150, &mac(&KEY, &NONCE, 5, 150), now), Err(Outcome::StaleChallenge));
    }

    /// The bytes are the wire's: a box of another version must come to the same.
    #[test]
    fn the_answer_is_pinned() {
        let expected = hex(&mac(&KEY, &NONCE, 5, 150));
        assert_eq!(expected, "f9c5bfd7c362be47d822921afb4ae64d");
    }

    fn hex(bytes: &[u8]) -> std::string::String {
        bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
    }
}
