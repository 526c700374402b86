//! What a browser may do here on behalf of others: nothing.
//!
//! There is no authentication yet; what keeps strangers out is that the box listens on loopback only. But a browser on
//! the same machine sends what any page in the world tells it to. So:
//!
//! - a request that may change something and comes from a page of another site is refused: browsers say so in `Origin`
//!   and `Sec-Fetch-Site`, and no page can forge these;
//! - a request for a host that is not this machine is refused while the box listens on loopback only: the page of a
//!   name that was made to point here (DNS rebinding) would else count as the box's own.
//!
//! Programs send neither header, and are not affected.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// Refuses what comes from elsewhere; `loopback_only` tells where the box listens.
pub(super) async fn guard(State(loopback_only): State<bool>, request: Request, next: Next) -> Response {
    match check(request.method(), request.uri(), request.headers(), loopback_only) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(method: &Method, uri: &Uri, headers: &HeaderMap, loopback_only: bool) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap_or_default());
    let host = uri.authority().map(axum::http::uri::Authority::as_str).or_else(|| text(header::HOST));
    if loopback_only && host.is_some_and(|host| !is_loopback(host)) {
        let detail = "This box answers on its own machine only: ask for localhost, 127.0.0.1 or [::1], from elsewhere through an SSH tunnel.";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "other-host", detail));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let other_origin = text(header::ORIGIN).is_some_and(|origin| {
        let site = origin.split_once("://").map(|(_, site)| site);
        !site.zip(host).is_some_and(|(site, host)| site.eq_ignore_ascii_case(host))
    });
    let sec_fetch_site = header::HeaderName::from_static("sec-fetch-site");
    if other_origin || text(sec_fetch_site) == Some("cross-site") {
        let detail = "A page of another site may change nothing here. Open the box's own pages at the address that you ask, or send this from a program, without Origin.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "other-site", detail));
    }
    Ok(())
}

/// Whether an authority, with or without a port, is a name or an address of this machine.
fn is_loopback(authority: &str) -> bool {
    let name = match authority.strip_prefix('[') {
        Some(rest) => {
            let address = rest.split(']').next().and_then(|address| address.parse::<Ipv6Addr>().ok());
            return address.is_some_and(|address| address.is_loopback());
        }
        None => authority.rsplit_once(':').map_or(authority, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, headers: &[(&'static str, &str)], loopback_only: bool) -> u16 {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let found = check(&method, &Uri::from_static("/api/v1/transactions"), &headers, loopback_only);
        found.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn only_names_of_this_machine_are_answered_on_loopback() {
        for host in ["localhost", "LocalHost:8480", "127.0.0.1:8480", "127.9.8.7", "[::1]:8480", "[::1]"] {
            assert_eq!(asked(Method::GET, &[("host", host)], true), 200, "{host}");
        }
        for host in [
            "evil.example:8480",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "0.0.0.0:8480",
            "192.168.1.9",
            "[::]:8480",
            "",
        ] {
            assert_eq!(asked(Method::GET, &[("host", host)], true), 421, "{host}");
            assert_eq!(asked(Method::GET, &[("host", host)], false), 200, "{host}");
        }
        assert_eq!(asked(Method::GET, &[], true), 200, "a program that names no host");
    }

    #[test]
    fn a_page_of_another_site_changes_nothing() {
        let host = ("host", "127.0.0.1:8480");
        for (more, expected) in [
            (vec![], 200),
            (vec![("origin", "http://127.0.0.1:8480"), ("sec-fetch-site", "same-origin")], 200),
            (vec![("sec-fetch-site", "none")], 200),
            (vec![("origin", "http://evil.example")], 403),
            (vec![("origin", "http://127.0.0.1:3000")], 403),
            (vec![("origin", "http://localhost:8480")], 403),
            (vec![("origin", "null")], 403),
            (vec![("origin", "")], 403),
            (vec![("sec-fetch-site", "cross-site")], 403),
        ] {
            let headers: Vec<_> = std::iter::once(host).chain(more).collect();
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                assert_eq!(asked(method, &headers, true), expected, "{headers:?}");
            }
            // What a page may ask for it may not read: there are no CORS headers.
            assert_eq!(asked(Method::GET, &headers, true), 200, "{headers:?}");
        }
        assert_eq!(asked(Method::POST, &[("origin", "http://127.0.0.1")], true), 403, "to no host");
    }
}
