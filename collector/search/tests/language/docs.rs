//! Every example of docs/query-language.md parses, and every form that it promises is what it says.

use narrows_search::{ParseError, Query, parse, parse_spans};

const PAGE: &str = include_str!("../../../../docs/query-language.md");

/// How many examples of the tables with this heading parse, and how many are refused, as the page says.
fn check(heading: &str, parse: impl Fn(&str) -> Result<Query, ParseError>) -> (usize, usize) {
    let (mut parsed, mut refused, mut queries) = (0, 0, false);
    for line in PAGE.lines() {
        queries = line.starts_with(heading) || (queries && line.starts_with('|'));
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
    (parsed, refused)
}

#[test]
fn examples_of_the_documentation_are_true() {
    let (parsed, refused) = check("| query |", parse);
    assert!(parsed >= 40 && refused >= 5, "{parsed} examples, {refused} errors");
    let (parsed, refused) = check("| query for spans |", parse_spans);
    assert!(parsed >= 15 && refused >= 8, "{parsed} examples, {refused} errors");
}

/// The backquoted words in the first (or second) column of the table with this heading.
fn words(heading: &str, column: usize) -> Vec<&'static str> {
    let rows = PAGE.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|line| line.split('|').nth(column + 1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

fn parsed(query: &str) -> Query {
    parse(query).unwrap_or_else(|error| panic!("{query}: {error}"))
}

#[test]
fn units_and_functions_of_the_documentation_are_known() {
    let units = words("| unit | spelled |", 1);
    assert!(units.len() >= 25, "{units:?}");
    for unit in units {
        parsed(&format!("x>5{unit}"));
    }
    let functions = words("| function | gives |", 0);
    assert!(functions.len() >= 10, "{functions:?}");
    for function in functions {
        let query = parsed(&format!("* | stats {function}"));
        let again = parsed(&query.to_string());
        assert_eq!(query, again, "{function}");
    }
}
