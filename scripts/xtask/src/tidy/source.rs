//! Tells Rust code from comments, strings and test code. Not a parser: it knows where those start and end, which is
//! enough to search what is left without false alarms.

/// The text with comments, string and character contents and test code replaced by spaces; lines stay lines.
pub(super) fn code(text: &str) -> String {
    without_tests(&without_comments(text))
}

/// Everything blank, lines kept.
pub(super) fn blank_all(text: &str) -> String {
    text.chars().map(blank).collect()
}

/// Names of the modules that are declared for tests only (`#[cfg(test)] mod name;`).
pub(super) fn test_modules(text: &str) -> Vec<String> {
    let code = without_comments(text);
    let spans = test_spans(&code);
    let declaration = |span: &(usize, usize)| {
        let item = code.get(span.0..span.1)?.trim_end();
        let (_, name) = item.strip_suffix(';')?.rsplit_once("mod ")?;
        name.chars().all(is_name).then(|| name.to_owned())
    };
    spans.iter().filter_map(declaration).collect()
}

/// Lines (from 1) on which `pattern` stands in `code`, not as part of a longer name.
pub(super) fn lines_with(code: &str, pattern: &str) -> Vec<usize> {
    offsets_of(code, pattern).map(|at| line_at(code, at)).collect()
}

/// Lines on which the path of the crate `name` is used: `name::…`, `use name…`, `extern crate name`.
pub(super) fn lines_naming_crate(code: &str, name: &str) -> Vec<usize> {
    let names_crate = |at: &usize| {
        let before = code.get(..*at).unwrap_or_default().trim_end();
        let after = code.get(at + name.len()..).unwrap_or_default().trim_start();
        // `other::name` is a module of that name, `::name` again the crate.
        let of_other = before.strip_suffix("::").is_some_and(|before| before.ends_with(is_name));
        let imported = ["use", "crate"]
            .iter()
            .any(|word| before.strip_suffix(word).is_some_and(|before| !before.ends_with(is_name)));
        !of_other && (imported || after.starts_with("::"))
    };
    offsets_of(code, name).filter(names_crate).map(|at| line_at(code, at)).collect()
}

fn offsets_of<'a>(code: &'a str, pattern: &'a str) -> impl Iterator<Item = usize> {
    let starts_name = pattern.starts_with(is_name);
    let ends_name = pattern.ends_with(is_name);
    code.match_indices(pattern).map(|(at, _)| at).filter(move |at| {
        let before = code.get(..*at).unwrap_or_default();
        let after = code.get(at + pattern.len()..).unwrap_or_default();
        !(starts_name && before.ends_with(is_name) || ends_name && after.starts_with(is_name))
    })
}

fn line_at(code: &str, at: usize) -> usize {
    code.get(..at).unwrap_or_default().matches('\n').count() + 1
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

/// What stands at the head of the rest of a source text.
enum Piece {
    /// A comment, a string or a character of so many bytes.
    Blank(usize),
    /// Code of so many bytes.
    Code(usize),
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let after_name = out.ends_with(is_name);
        let (length, is_code) = match piece(rest, after_name) {
            Piece::Blank(length) => (length, false),
            Piece::Code(length) => (length, true),
        };
        let (head, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if is_code {
            out.push_str(head);
        } else {
            out.extend(head.chars().map(blank));
        }
        rest = tail;
    }
    out
}

fn piece(rest: &str, after_name: bool) -> Piece {
    if rest.starts_with("//") {
        return Piece::Blank(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Piece::Blank(block_comment(rest));
    }
    // A prefix such as `br` belongs to a string only where no name runs into it.
    if !after_name && let Some(length) = raw_string(rest) {
        return Piece::Blank(length);
    }
    match rest.chars().next() {
        Some('"') => Piece::Blank(quoted(rest)),
        Some('\'') => character(rest).map_or(Piece::Code(1), Piece::Blank),
        Some(other) => Piece::Code(other.len_utf8()),
        None => Piece::Code(0),
    }
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`, with `b` or `c` in front.
fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix(['b', 'c']).unwrap_or(rest).strip_prefix('r')?;
    let hashes = body.bytes().take_while(|byte| *byte == b'#').count();
    let body = body.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let close = body.find(&end)?;
    Some(rest.len() - body.len() + close + end.len())
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'x'`, `'\n'`, `'\u{1d}'`; not the lifetime `'x`.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let length = match body.strip_prefix('\\') {
        Some(escape) => 1 + escape.get(1..)?.find('\'')? + 1,
        None => body.chars().next()?.len_utf8(),
    };
    body.get(length..)?.starts_with('\'').then_some(length + 2)
}

fn without_tests(code: &str) -> String {
    let spans = test_spans(code);
    let in_test = |at: usize| spans.iter().any(|span| (span.0..span.1).contains(&at));
    code.char_indices().map(|(at, c)| if in_test(at) { blank(c) } else { c }).collect()
}

/// Bytes from each test attribute to the end of the item behind it; the whole text behind `#![cfg(test)]`.
fn test_spans(code: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    for attribute in ["#[cfg(test)]", "#[cfg(all(test,", "#[test]", "#[tokio::test"] {
        for (at, _) in code.match_indices(attribute) {
            let behind = code.get(at..).unwrap_or_default();
            spans.push((
                at,
                at + attributes(behind) + item(behind.get(attributes(behind)..).unwrap_or_default()),
            ));
        }
    }
    if code.contains("#![cfg(test)]") {
        spans.push((0, code.len()));
    }
    spans
}

/// The length of the attributes at the head of `code`, with the space around them.
fn attributes(code: &str) -> usize {
    let mut rest = code.trim_start();
    while rest.starts_with("#[") {
        let mut depth = 0usize;
        let end = rest.char_indices().find(|(_, c)| {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            *c == ']' && depth == 0
        });
        let Some(tail) = end.and_then(|(at, _)| rest.get(at + 1..)) else {
            break;
        };
        rest = tail.trim_start();
    }
    code.len() - rest.len()
}

/// The length of the item at the head of `code`: to its `;` or its closing brace (`use a::{b};` has both).
fn item(code: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (c == ';' || c == '}') {
            let semicolon = c == '}' && code.get(at + 1..).is_some_and(|rest| rest.starts_with(';'));
            return at + 1 + usize::from(semicolon);
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        code(text).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        assert_eq!(kept("a(); // b()\nc(); /* d /* e */ f */ g();"), "a(); c(); g();");
        assert_eq!(kept("/// doc `x`\n//! prose\nfn a() {}"), "fn a() {}");
        assert_eq!(kept(r#"a("b \" c // d"); e()"#), "a( ); e()");
        assert_eq!(kept("a(r#\"b \" c\"#, br\"\\\", b\"x\"); d()"), "a( , , b ); d()");
        assert_eq!(kept("a('\"', '\\'', '\\u{1d}', 'é'); b::<'x>()"), "a( , , , ); b::<'x>()");
        assert_eq!(kept("let number = \"x\"; let r = 1;"), "let number = ; let r = 1;");
    }

    #[test]
    fn lines_stay_where_they_are() {
        let text = "a\n/* b\nc */\n\"d\ne\"\nneedle\n";
        assert_eq!(lines_with(&code(text), "needle"), [6]);
        assert_eq!(code(text).matches('\n').count(), text.matches('\n').count());
    }

    #[test]
    fn test_code_is_no_code() {
        assert_eq!(
            kept("fn a() {}\n#[cfg(test)]\nmod tests { fn b() { c(); } }\nfn d() {}"),
            "fn a() {} fn d() {}"
        );
        assert_eq!(kept("#[cfg(test)]\n#[path = \"x]\"]\nmod tests;\nfn d() {}"), "fn d() {}");
        assert_eq!(kept("#[test]\nfn a() -> [u8; 4] { b() }\nfn c() {}"), "fn c() {}");
        assert_eq!(kept("#[cfg(test)]\nuse a::{b, c};\nfn d() {}"), "fn d() {}");
        assert_eq!(kept("#![cfg(test)]\nfn d() {}"), "");
        assert_eq!(kept("#[cfg(not(test))]\nfn d() {}"), "#[cfg(not(test))] fn d() {}");
        assert_eq!(
            kept("#[cfg(any(test, feature = \"sim\"))]\nfn d() {}"),
            "#[cfg(any(test, feature = ))] fn d() {}"
        );
    }

    #[test]
    fn test_modules_are_named() {
        let text = "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\npub(crate) mod c;\n#[cfg(test)]\nmod d {}\n// #[cfg(test)]\nmod e;";
        assert_eq!(test_modules(text), ["b", "c"]);
    }

    #[test]
    fn names_are_whole() {
        assert_eq!(lines_with("f32\nxf32\nf32_x\n(f32)", "f32"), [1, 4]);
        let code = "use sled;\nsled::open();\ncrate::sled::x();\nlet sled = 1;\n::sled::x();\nextern crate sled;\nuse sled::Db;\nreuse sled;";
        assert_eq!(lines_naming_crate(code, "sled"), [1, 2, 5, 6, 7]);
    }

    #[test]
    fn anything_is_survived() {
        for text in ["\"", "'", "/*", "r#\"", "#[test]", "#[cfg(test)] #[", "b'", "'\\", "é'é", "*/ ]})"] {
            assert_eq!(code(text).chars().count(), text.chars().count(), "{text}");
        }
    }
}
