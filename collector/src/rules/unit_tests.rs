//! `narrows-collector test-rules FILE…`: unit tests of rules, in promtool's format.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alerting::rules::testing::{self, Files};

use super::glob;

/// The command's arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct TestRulesArgs {
    /// Files of tests, in promtool's format
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run only the tests of this name
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
    /// Pass over unknown fields of rule files
    #[arg(long)]
    pub ignore_unknown_fields: bool,
}

/// Runs the tests and tells what did not hold.
pub fn test_rules(args: &TestRulesArgs) -> ExitCode {
    let mut is_good = true;
    for file in &args.files {
        println!("{}", file.display());
        match run(file, args) {
            Ok(checks) => println!("  good: {checks} checks"),
            Err(failures) => {
                is_good = false;
                failures.iter().for_each(|failure| println!("  {failure}"));
            }
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How much held, or what did not.
fn run(file: &Path, args: &TestRulesArgs) -> Result<usize, Vec<String>> {
    let text =
        std::fs::read_to_string(file).map_err(|error| vec![format!("cannot read the file: {error}")])?;
    let base = file.parent().unwrap_or(Path::new(""));
    let read = |pattern: &str| read_files(&base.join(pattern));
    let files = Files { read: &read, ignore_unknown_fields: args.ignore_unknown_fields };
    let mut checks = 0;
    let mut failures = Vec::new();
    for outcome in testing::run(&text, &files)? {
        if args.run.as_ref().is_some_and(|name| *name != outcome.name) {
            continue;
        }
        checks += outcome.checks;
        let named = outcome.failures.iter().map(|failure| format!("{}: {failure}", outcome.name));
        failures.extend(named);
    }
    if failures.is_empty() { Ok(checks) } else { Err(failures) }
}

fn read_files(pattern: &Path) -> Result<Vec<(String, String)>, String> {
    let paths = glob::files(pattern);
    let paths = paths.map_err(|error| format!("cannot look for {}: {error}", pattern.display()))?;
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    paths.iter().map(read).collect()
}
