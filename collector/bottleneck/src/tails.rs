//! How unlikely so many failures are. Ratios of counts are never put into a z-score: with 0 failures before, and few
//! requests, only the binomial distribution says what is unusual.

use crate::baseline::quantile;

/// −log10 of the probability of `failures` or more among `requests` that fail with probability `share`. 0 if there is
/// nothing to wonder at.
pub(crate) fn significance(failures: f64, requests: f64, share: f64) -> f64 {
    let failures = failures.round();
    let requests = requests.round().max(failures);
    if failures < 1.0 || share >= 1.0 {
        return 0.0;
    }
    if share <= 0.0 {
        return f64::MAX.log10();
    }
    (-ln_tail(failures, requests, share) / std::f64::consts::LN_10).max(0.0)
}

/// What share fails usually: failures and requests per step. The worst twentieth of the steps is left out (an incident
/// in the baseline), and half a failure added (Jeffreys), so that it is never 0.
pub(crate) fn trimmed_share(steps: &[(f64, f64)]) -> f64 {
    let mut kept: Vec<(f64, f64)> = steps.iter().copied().filter(|step| step.1 > 0.0).collect();
    kept.sort_by(|left, right| (left.0 / left.1).total_cmp(&(right.0 / right.1)));
    let worst = kept.len() / 20;
    kept.truncate(kept.len() - worst);
    let failures: f64 = kept.iter().map(|step| step.0).sum();
    let requests: f64 = kept.iter().map(|step| step.1).sum();
    (failures + 0.5) / (requests + 1.0)
}

/// The share that still counts as usual: failures come in bursts, so that a binomial tail by the mean share alone would
/// cry at each; the 90 % quantile of the steps' shares is let pass.
pub(crate) fn usual_share(steps: &[(f64, f64)]) -> f64 {
    let mut shares: Vec<f64> = steps.iter().filter(|step| step.1 > 0.0).map(|step| step.0 / step.1).collect();
    shares.sort_unstable_by(f64::total_cmp);
    trimmed_share(steps).max(quantile(&shares, 0.9).unwrap_or_default())
}

/// ln P(X ≥ k) of n draws: the regularised incomplete beta function I_p(k, n − k + 1).
fn ln_tail(k: f64, n: f64, p: f64) -> f64 {
    ln_incomplete_beta(p, k, n - k + 1.0)
}

/// ln I_x(a, b) by Lentz's continued fraction (Numerical Recipes 6.4), with the front factor in logarithms, so that tails
/// far below the smallest number keep their order.
fn ln_incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    if x < (a + 1.0) / (a + b + 2.0) {
        ln_front + fraction(x, a, b).ln() - a.ln()
    } else {
        let other = (ln_front + fraction(1.0 - x, b, a).ln() - b.ln()).exp();
        (-other.min(1.0)).ln_1p()
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let keep = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    // About √max(a, b) steps are taken; a million requests take a thousand.
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / keep(1.0 + term * d);
            c = keep(1.0 + term / c);
            product *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    product
}

/// ln Γ by Lanczos' approximation (g = 7, 9 terms): 15 digits for x ≥ 0.5.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    for (index, term) in TERMS.iter().enumerate() {
        sum += term / (x + index as f64 + 1.0);
    }
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tail by its definition, term by term.
    fn exact(k: u32, n: u32, p: f64) -> f64 {
        let mut total = 0.0;
        for drawn in k..=n {
            let mut term = 1.0;
            for index in 0..drawn {
                term *= f64::from(n - index) / f64::from(drawn - index) * p;
            }
            total += term * (1.0 - p).powi((n - drawn) as i32);
        }
        total
    }

    #[test]
    fn tails_are_those_of_the_definition() {
        for n in [1, 2, 7, 30, 200] {
            for k in [1, 2, 3, n / 2, n - 1, n] {
                for p in [0.001, 0.02, 0.3, 0.5, 0.97] {
                    if k < 1 || k > n {
                        continue;
                    }
                    let expected = -exact(k, n, p).log10();
                    if !expected.is_finite() {
                        continue;
                    }
                    let found = significance(f64::from(k), f64::from(n), p);
                    assert!(
                        (found - expected).abs() < 1e-8 * expected.abs().max(1.0),
                        "P(X ≥ {k}; {n}, {p}): {found} for {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn extremes_stay_finite_and_in_order() {
        let cases: [(&str, f64, f64, f64, f64, f64); 6] = [
            ("no failures", 0.0, 1e6, 0.01, 0.0, 0.0),
            ("as many as usual", 10_000.0, 1e6, 0.01, 0.25, 0.35),
            ("all of many", 1e5, 1e5, 0.001, 299_999.0, 300_001.0),
            ("a tenth of a million", 1e5, 1e6, 0.01, 62_700.0, 62_800.0),
            ("nothing ever fails", 1.0, 10.0, 0.0, 300.0, 310.0),
            ("everything always fails", 10.0, 10.0, 1.0, 0.0, 0.0),
        ];
        for (name, failures, requests, share, low, high) in cases {
            let found = significance(failures, requests, share);
            assert!((low..=high).contains(&found), "{name}: {found}");
        }
    }

    #[test]
    fn shares_leave_incidents_out_and_let_bursts_pass() {
        let quiet: Vec<(f64, f64)> = vec![(0.0, 100.0); 40];
        assert!((trimmed_share(&quiet) - 0.5 / 3_801.0).abs() < 1e-12);
        let incident: Vec<(f64, f64)> =
            (0..40).map(|step| if step < 2 { (60.0, 100.0) } else { (0.0, 100.0) }).collect();
        assert!((trimmed_share(&incident) - 0.5 / 3_801.0).abs() < 1e-12);
        let bursts: Vec<(f64, f64)> =
            (0..40).map(|step| if step % 5 == 0 { (4.0, 100.0) } else { (0.0, 100.0) }).collect();
        assert!((usual_share(&bursts) - 0.04).abs() < 1e-12);
        assert!((usual_share(&[(0.0, 0.0)]) - 0.5).abs() < 1e-12);
    }
}
