//! Sets of outlines and what becomes of them; `*` is a slot.

use super::*;

const NAMES: [&str; 40] = [
    "ada", "bob", "cai", "dan", "eve", "fay", "gus", "hal", "ian", "joe", "kim", "lee", "mia", "ned", "oda",
    "pia", "quy", "ray", "sue", "tom", "una", "val", "wim", "xia", "yan", "zoe", "abe", "ben", "cat", "del",
    "eli", "flo", "gil", "hew", "ike", "jim", "kay", "lou", "may", "nan",
];

/// The distinct templates, sorted.
fn templates(outlines: &[String]) -> Vec<String> {
    let outlines: Vec<String> = outlines.iter().map(|text| text.replace('*', "\u{1}")).collect();
    let texts: Vec<&str> = outlines.iter().map(String::as_str).collect();
    let found = generalise(&texts, || Ok::<(), ()>(())).unwrap();
    assert!(found.iter().all(|template| template.id == id_of(&template.text)));
    let distinct: BTreeSet<String> =
        found.iter().map(|template| template.text.replace('\u{1}', "*")).collect();
    distinct.into_iter().collect()
}

fn each(names: &[&str], outline: &str) -> Vec<String> {
    names.iter().map(|name| outline.replace('%', name)).collect()
}

#[test]
fn many_words_at_one_place_are_a_slot() {
    let outlines = each(&NAMES[..8], "session opened for user % by (uid=*)");
    assert_eq!(templates(&outlines), ["session opened for user * by (uid=*)"]);
    assert_eq!(templates(&outlines[..7]).len(), 7, "too few");
    assert_eq!(templates(&each(&NAMES, "user %")).len(), 40, "nothing would be left");
    assert_eq!(templates(&each(&NAMES, "% %")).len(), 40);
}

#[test]
fn fewer_do_beside_a_value() {
    let mut outlines = each(&NAMES[..4], "login of user % failed");
    assert_eq!(templates(&outlines).len(), 4);
    outlines.push("login of user * failed".to_owned());
    assert_eq!(templates(&outlines), ["login of user * failed"]);
}

#[test]
fn two_words_that_differ_together_are_slots() {
    let pair = |(a, b): (&&str, &&str)| format!("user {a} logged in from {b} today");
    let pairs: Vec<String> = NAMES.iter().zip(NAMES.iter().rev()).map(pair).collect();
    assert_eq!(templates(&pairs), ["user * logged in from * today"]);
    assert_eq!(templates(&pairs[..31]).len(), 31);
}

#[test]
fn every_outline_goes_to_the_widest_template() {
    // `% on web` alone shows that the first word is a slot, `% on %` that both are.
    let mut outlines = each(&NAMES[..9], "user % works on web");
    outlines.extend(each(&NAMES[..9], "user ada works on %"));
    assert_eq!(templates(&outlines).len(), 1, "{:?}", templates(&outlines));
}

#[test]
fn the_order_of_the_set_plays_no_part_and_more_outlines_find_no_less() {
    let mut outlines = each(&NAMES[..12], "user % logged in");
    outlines.extend(each(&NAMES[..3], "user % logged out"));
    outlines.extend(each(&NAMES[..9], "state changed from % to ready"));
    let forward = templates(&outlines);
    outlines.reverse();
    assert_eq!(templates(&outlines), forward);
    assert_eq!(forward.len(), 5);
}

#[test]
fn a_value_beside_one_template_s_words_goes_with_them_into_a_wider_one() {
    // `joe follows *` makes the second place a slot and is one of `% follows *`, which makes the first one.
    let mut outlines = each(&NAMES[..4], "user joe follows % since today");
    outlines.push("user joe follows * since today".to_owned());
    assert_eq!(templates(&outlines), ["user joe follows * since today"]);
    outlines.push("user * follows * since today".to_owned());
    outlines.extend(each(&NAMES[..4], "user % follows * since today"));
    assert_eq!(templates(&outlines), ["user * follows * since today"]);
}

#[test]
fn a_word_is_no_slot_because_others_have_a_value_there() {
    let mut outlines = each(&NAMES[..8], "state of % is *");
    outlines.extend(each(&NAMES[..8], "state of % is good"));
    assert_eq!(templates(&outlines), ["state of * is *", "state of * is good"]);
}

#[test]
fn it_stops_when_it_is_told_to() {
    let outlines = each(&NAMES, "user % works on web");
    let texts: Vec<&str> = outlines.iter().map(String::as_str).collect();
    let asked = std::cell::Cell::new(0);
    let check = |most: usize| {
        asked.set(asked.get() + 1);
        if asked.get() > most { Err("late") } else { Ok(()) }
    };
    assert!(generalise(&texts, || check(usize::MAX)).is_ok());
    let all = asked.take();
    assert!(all > 3 * texts.len(), "before each outline, however few skeletons there are: {all}");
    for most in [0, 1, all / 2, all - 1] {
        assert_eq!(generalise(&texts, || check(most)), Err("late"));
        assert_eq!(asked.take(), most + 1);
    }
}
