//! The API's document, compared with what a day in the shop has asked.

use tillbox_tests::Client;

/// The document lists whatever this test has asked and was answered.
pub(crate) fn compare_with_the_document(client: &Client) {
    let document = client.get("/api/v1/openapi.json").ok(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    let fits = |template: &str, path: &str| {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        template.len() == path.len()
            && template.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
    };
    for (method, path) in client.asked().iter().filter(|(_, path)| path != "/api/v1/openapi.json") {
        let method = method.to_lowercase();
        let listed = paths.iter().any(|(template, item)| fits(template, path) && item.get(&method).is_some());
        assert!(listed, "the document does not list {method} {path}");
    }
    for (template, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            assert!(
                operation["responses"].as_object().is_some_and(|all| !all.is_empty()),
                "{method} {template}"
            );
        }
    }
}
