//! Content negotiation, RFC 9110 section 12.5.1.

use axum::http::HeaderValue;

/// What the client likes best of `offered` media types, in our order where it does not mind; `None`: none of them.
pub(super) fn preferred<'o>(accept: Option<&HeaderValue>, offered: &[&'o str]) -> Option<&'o str> {
    let Some(accept) = accept else { return offered.first().copied() };
    // What cannot be read is as good as no preference.
    let Ok(accept) = accept.to_str() else { return offered.first().copied() };
    let mut best: Option<(&'o str, u16)> = None;
    for media_type in offered {
        let weight = weight(accept, media_type);
        if weight > best.map_or(0, |(_, highest)| highest) {
            best = Some((media_type, weight));
        }
    }
    best.map(|(media_type, _)| media_type)
}

/// The weight of a media type in thousandths: that of the most exact range that covers it.
fn weight(accept: &str, media_type: &str) -> u16 {
    let major = media_type.split('/').next().unwrap_or_default();
    let mut found = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let exactness = if name.eq_ignore_ascii_case(media_type) {
            3
        } else if name.strip_suffix("/*").is_some_and(|of| of.eq_ignore_ascii_case(major)) {
            2
        } else if name == "*/*" {
            1
        } else {
            continue;
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        if exactness > found.0 {
            found = (exactness, quality.map_or(1000, thousandths));
        }
    }
    found.1
}

/// `0.5` as 500; what is no weight counts as 0.
fn thousandths(quality: &str) -> u16 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, format!("{fraction:0<3}").parse::<u16>()) {
        ("1", _) => 1000,
        ("0", Ok(value)) if digits => value,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &'static str) -> Option<&'static str> {
        preferred(Some(&HeaderValue::from_static(accept)), &["text/plain", "image/svg+xml"])
    }

    #[test]
    fn the_client_chooses_and_our_order_breaks_ties() {
        assert_eq!(preferred(None, &["text/plain", "image/svg+xml"]), Some("text/plain"));
        assert_eq!(chosen("*/*"), Some("text/plain"));
        assert_eq!(chosen("image/svg+xml"), Some("image/svg+xml"));
        assert_eq!(chosen("image/*, text/plain;q=0.5"), Some("image/svg+xml"));
        assert_eq!(chosen("text/html,image/avif,image/svg+xml;q=0.9,*/*;q=0.8"), Some("image/svg+xml"));
        assert_eq!(chosen("*/*;q=0.1, text/plain;q=0"), Some("image/svg+xml"));
        assert_eq!(chosen("TEXT/PLAIN; charset=utf-8"), Some("text/plain"));
    }

    #[test]
    fn nothing_acceptable_is_nothing() {
        assert_eq!(chosen("application/json"), None);
        assert_eq!(chosen("text/plain;q=0"), None);
        assert_eq!(chosen("text/plain;q=2"), None);
    }
}
