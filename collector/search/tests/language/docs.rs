//! Every example of docs/query-language.md parses, and every form that it promises is what it says.

use narrows_search::parse;

const PAGE: &str = include_str!("../../../../docs/query-language.md");

#[test]
fn examples_of_the_documentation_are_true() {
    let (mut parsed, mut refused, mut queries) = (0, 0, false);
    for line in PAGE.lines() {
        queries = line.starts_with("| query |") || (queries && line.starts_with('|'));
        // A row: | `query` | what it means |; a query's own pipes are escaped there.
        let row = line.strip_prefix("| `").filter(|_| queries);
        let Some((query, _)) = row.and_then(|row| row.split_once("` |")) else { continue };
        let query = query.replace("\\|", "|");
        match (parse(&query), line.contains("` | error:")) {
            (Ok(_), false) => parsed += 1,
            (Err(error), true) => {
                assert!(
                    line.contains(&error.message.replace('|', "\\|")),
                    "{query}: the page doesn't say {error}"
                );
                refused += 1;
            }
            (Ok(_), true) => panic!("{query} parses"),
            (Err(error), false) => panic!("{query}: {error}"),
        }
    }
    assert!(parsed >= 40 && refused >= 5, "{parsed} examples, {refused} errors");
}
