#![allow(clippy::unwrap_used)]

use super::scenarios::shop;
use super::*;

#[test]
fn a_run_is_a_function_of_its_seed() {
    let scenarios = shop(1);
    let plan = &scenarios[0].plan;
    let (a, b) = (observe::observation(&run(plan)), observe::observation(&run(plan)));
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}
