//! What holds of every verdict, whatever the shop.
#![allow(clippy::unwrap_used)]

use narrows_bottleneck::{NodeType, Observation, Question, Settings, Sli, Verdict, analyze, symptoms};
use proptest::prelude::*;

use crate::localise::closes;
use crate::shop::{Call, Random, Service, Shop, database, service};

/// A shop of 3 to 14 services below an entry, some of them databases, each called by one or more before it.
fn shop() -> impl Strategy<Value = Shop> {
    let each = (2.0..40.0_f64, prop::bool::weighted(0.25), prop::bool::weighted(0.2), any::<u64>());
    (prop::collection::vec(each, 3..14), any::<u64>()).prop_map(|(of, seed)| {
        let mut services = vec![service("entry", 5.0, &[])];
        for (index, (own_ms, is_database, is_parallel, pick)) in of.into_iter().enumerate() {
            let name = format!("service-{index}");
            let new = if is_database { database(&name, own_ms) } else { service(&name, own_ms, &[]) };
            services.push(Service { is_parallel, ..new });
            let mut random = Random(pick);
            let above: Vec<usize> =
                (0..=index).filter(|above| services[*above].node_type == NodeType::Service).collect();
            for _ in 0..=usize::from(random.unit() < 0.25) {
                let caller = above[random.next() as usize % above.len()];
                if services[caller].calls.iter().all(|call| call.callee != index + 1) {
                    let times = 1 + usize::from(random.unit() < 0.2);
                    services[caller].calls.push(Call { callee: index + 1, times, gap_s: 0.001 });
                }
            }
        }
        Shop { seed, ..Shop::new(services) }
    })
}

/// Leaves whose added time the entry waits for in full: on no way beside others.
fn sequential_leaves(shop: &Shop) -> Vec<usize> {
    let services = &shop.healthy;
    let mut is_beside = vec![false; services.len()];
    for (index, service) in services.iter().enumerate() {
        for call in &service.calls {
            is_beside[call.callee] |= service.is_parallel || is_beside[index];
        }
    }
    (1..services.len()).filter(|index| services[*index].calls.is_empty() && !is_beside[*index]).collect()
}

/// How often a request comes to a service.
fn visits(shop: &Shop, node: usize) -> f64 {
    let mut visits = vec![0.0; shop.healthy.len()];
    visits[0] = 1.0;
    for (index, service) in shop.healthy.iter().enumerate() {
        for call in &service.calls {
            visits[call.callee] += visits[index] * call.times as f64;
        }
    }
    visits[node]
}

/// With so much added to a leaf that half of the entry's duration comes of it.
fn with_delay(mut shop: Shop, leaf: usize) -> (Shop, f64) {
    let total: f64 = shop.healthy.iter().enumerate().map(|(index, of)| of.own_s * visits(&shop, index)).sum();
    let delay_s = total / visits(&shop, leaf);
    shop.faulty = shop.healthy.clone();
    shop.faulty[leaf].own_s += delay_s;
    (shop.clone(), delay_s * visits(&shop, leaf) * 1_000.0)
}

fn ask(observation: &Observation, question: &Question) -> Verdict {
    analyze(observation, question, &Settings::default())
}

fn culprit(verdict: &Verdict) -> &str {
    verdict.culprit.as_ref().map_or("nobody", |culprit| culprit.entity.service.as_str())
}

/// The same observation with its nodes, edges, traces in another order.
fn permuted(observation: &Observation, question: &Question, seed: u64) -> (Observation, Question) {
    let mut random = Random(seed);
    let mut order: Vec<usize> = (0..observation.nodes.len()).collect();
    shuffle(&mut order, &mut random);
    let mut place = vec![0; order.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new;
    }
    let mut permuted = observation.clone();
    permuted.nodes = order.iter().map(|old| observation.nodes[*old].clone()).collect();
    for edge in &mut permuted.edges {
        (edge.caller, edge.callee) = (place[edge.caller], place[edge.callee]);
    }
    shuffle(&mut permuted.edges, &mut random);
    for span in permuted.traces.iter_mut().flat_map(|trace| &mut trace.spans) {
        span.node = place[span.node];
        span.peer = span.peer.map(|peer| place[peer]);
    }
    (permuted, Question { node: place[question.node], ..question.clone() })
}

fn shuffle<T>(of: &mut [T], random: &mut Random) {
    for index in (1..of.len()).rev() {
        of.swap(index, random.next() as usize % (index + 1));
    }
}

/// Verdicts are told apart by their JSON, with numbers to nine digits: sums in another order differ in the last.
fn json(verdict: &Verdict) -> String {
    fn rounded(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Number(number) => {
                let rounded = format!("{:.6e}", number.as_f64().unwrap() + 0.0);
                *value = serde_json::Value::String(rounded);
            }
            serde_json::Value::Array(of) => of.iter_mut().for_each(rounded),
            serde_json::Value::Object(of) => of.values_mut().for_each(rounded),
            _ => {}
        }
    }
    let mut json = serde_json::to_value(verdict).unwrap();
    // What remains of a sum that is 0 is noise.
    if verdict.unexplained.abs() < 1e-9 * verdict.symptom.now.abs() {
        json["unexplained"] = 0.into();
    }
    for hop in json["path"].as_array_mut().unwrap() {
        for field in ["adds", "passes_on", "keeps", "keeps_self", "keeps_queueing", "keeps_network"] {
            if hop[field].as_f64().unwrap().abs() < 1e-9 {
                hop[field] = 0.into();
            }
        }
    }
    rounded(&mut json);
    json.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn a_delay_of_a_leaf_is_the_leafs(shop in shop(), pick in any::<prop::sample::Index>()) {
        let leaves = sequential_leaves(&shop);
        prop_assume!(!leaves.is_empty());
        let leaf = leaves[pick.index(leaves.len())];
        let (shop, added_ms) = with_delay(shop, leaf);
        for traces in [0, 200] {
            // Without traces, calls beside each other cannot be told from those in a row.
            if traces == 0 && shop.healthy.iter().any(|service| service.is_parallel) {
                continue;
            }
            let shop = Shop { traces, ..shop.clone() };
            let verdict = ask(&shop.observe(), &shop.question(Sli::Latency));
            closes(&verdict);
            prop_assert_eq!(culprit(&verdict), shop.healthy[leaf].name.as_str(), "{:#?}", verdict);
            let found = verdict.culprit.as_ref().unwrap().contribution;
            prop_assert!((found - added_ms).abs() <= (added_ms * 0.15).max(2.0), "{found} ms of {added_ms}");
        }
    }

    #[test]
    fn another_order_is_the_same_verdict(shop in shop(), pick in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let leaf = 1 + pick.index(shop.healthy.len() - 1);
        let (shop, _) = with_delay(shop, leaf);
        let (observation, question) = (shop.observe(), shop.question(Sli::Latency));
        let (other, other_question) = permuted(&observation, &question, seed);
        prop_assert_eq!(json(&ask(&observation, &question)), json(&ask(&other, &other_question)));
    }

    #[test]
    fn other_names_are_the_same_verdict(shop in shop(), pick in any::<prop::sample::Index>()) {
        let leaf = 1 + pick.index(shop.healthy.len() - 1);
        let (shop, _) = with_delay(shop, leaf);
        let (observation, question) = (shop.observe(), shop.question(Sli::Latency));
        let mut renamed = observation.clone();
        renamed.nodes.iter_mut().for_each(|node| node.name = format!("x/{}", node.name));
        let before = ask(&observation, &question);
        let after = ask(&renamed, &question);
        prop_assert_eq!(format!("x/{}", culprit(&before)), culprit(&after).to_owned());
        let way = |verdict: &Verdict| verdict.path.iter().map(|hop| hop.service.clone()).collect::<Vec<_>>();
        let expected: Vec<String> = way(&before).iter().map(|name| format!("x/{name}")).collect();
        prop_assert_eq!(expected, way(&after));
    }

    #[test]
    fn time_units_change_nothing(shop in shop(), pick in any::<prop::sample::Index>(), factor in 1.0..50.0_f64) {
        let leaf = 1 + pick.index(shop.healthy.len() - 1);
        let (shop, _) = with_delay(shop, leaf);
        // Traces tell time in ns, which cannot be scaled without rounding.
        let shop = Shop { traces: 0, ..shop };
        let (observation, question) = (shop.observe(), shop.question(Sli::Latency));
        let mut scaled = observation.clone();
        scaled.grid.step_s *= 6;
        let scale = |series: &mut Vec<f64>| series.iter_mut().for_each(|value| *value *= factor);
        scaled.nodes.iter_mut().for_each(|node| scale(&mut node.seconds));
        for edge in &mut scaled.edges {
            scale(&mut edge.client_seconds);
            scale(&mut edge.server_seconds);
        }
        let (before, after) = (ask(&observation, &question), ask(&scaled, &question));
        prop_assert_eq!(culprit(&before), culprit(&after));
        let share = |verdict: &Verdict| verdict.culprit.as_ref().map_or(0.0, |culprit| culprit.coverage);
        prop_assert!((share(&before) - share(&after)).abs() < 1e-6);
        let ratio = after.symptom.now / before.symptom.now;
        prop_assert!((ratio - factor).abs() < 1e-6 * factor);
    }

    #[test]
    fn quiet_in_silent_out(shop in shop(), noise in 0.0..0.3_f64) {
        let shop = Shop { noise, ..shop };
        let observation = shop.observe();
        prop_assert_eq!(symptoms(&observation, &Settings::default()), vec![]);
        let verdict = ask(&observation, &shop.question(Sli::Latency));
        prop_assert!(verdict.culprit.is_none(), "{verdict:#?}");
    }

    #[test]
    fn a_tenth_of_the_traces_says_the_same(shop in shop(), pick in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let leaves = sequential_leaves(&shop);
        prop_assume!(!leaves.is_empty());
        let (shop, _) = with_delay(shop.clone(), leaves[pick.index(leaves.len())]);
        let shop = Shop { traces: 400, ..shop };
        let observation = shop.observe();
        let mut thinned = observation.clone();
        let mut random = Random(seed);
        thinned.traces.retain(|_| random.unit() < 0.1);
        let question = shop.question(Sli::Latency);
        let (all, few) = (ask(&observation, &question), ask(&thinned, &question));
        prop_assert_eq!(culprit(&all), culprit(&few));
    }

    #[test]
    fn the_account_closes(shop in shop(), faults in prop::collection::vec((any::<prop::sample::Index>(), 0.0..0.2_f64, 0.0..0.3_f64), 1..4)) {
        let mut shop = shop;
        for (node, slower_s, fails) in faults {
            let node = node.index(shop.faulty.len());
            shop.faulty[node].own_s += slower_s;
            shop.faulty[node].fails = fails;
        }
        let observation = shop.observe();
        for sli in [Sli::Latency, Sli::Errors] {
            let verdict = ask(&observation, &shop.question(sli));
            closes(&verdict);
            if let Some(culprit) = &verdict.culprit {
                prop_assert!((0.25..=1.0).contains(&culprit.coverage) && (0.0..=1.0).contains(&culprit.margin));
            }
            let parsed: Verdict = serde_json::from_value(serde_json::to_value(&verdict).unwrap()).unwrap();
            prop_assert_eq!(parsed.headline, verdict.headline);
        }
    }
}
