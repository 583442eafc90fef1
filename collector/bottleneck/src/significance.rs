//! How likely a count is by chance, as −log10 of the probability. Exact sums, no tables.

/// Terms of a tail below this share of their sum are left out.
const NEGLIGIBLE: f64 = 1e-12;
/// Most terms of a tail.
const MAX_TERMS: usize = 100_000;

/// −log10 of the probability to see `count` or more, where `mean` are expected and the number is spread like a
/// negative binomial of size `size` (variance `mean + mean²/size`; infinite: Poisson).
pub(crate) fn more(count: f64, mean: f64, size: f64) -> f64 {
    if count <= mean || mean <= 0.0 {
        return if mean <= 0.0 && count > 0.0 { f64::INFINITY } else { 0.0 };
    }
    let count = count.floor();
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut at = count;
    for _ in 0..MAX_TERMS {
        term *= step_up(at, mean, size);
        at += 1.0;
        sum += term;
        if term < NEGLIGIBLE * sum {
            break;
        }
    }
    -(ln_mass(count, mean, size) + sum.ln()) / std::f64::consts::LN_10
}

/// −log10 of the probability to see `count` or fewer.
pub(crate) fn fewer(count: f64, mean: f64, size: f64) -> f64 {
    if count >= mean || mean <= 0.0 {
        return 0.0;
    }
    let count = count.floor().max(0.0);
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut at = count;
    while at > 0.0 && term >= NEGLIGIBLE * sum {
        at -= 1.0;
        term /= step_up(at, mean, size);
        sum += term;
    }
    -(ln_mass(count, mean, size) + sum.ln()) / std::f64::consts::LN_10
}

/// P(at + 1) / P(at).
fn step_up(at: f64, mean: f64, size: f64) -> f64 {
    if size.is_finite() { (at + size) / (at + 1.0) * mean / (mean + size) } else { mean / (at + 1.0) }
}

fn ln_mass(count: f64, mean: f64, size: f64) -> f64 {
    if size.is_finite() {
        let failing = size / (mean + size);
        ln_gamma(count + size) - ln_gamma(size) - ln_gamma(count + 1.0)
            + size * failing.ln()
            + count * (1.0 - failing).ln()
    } else {
        count * mean.ln() - mean - ln_gamma(count + 1.0)
    }
}

/// Lanczos' approximation, good to 1e-10 and better for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let base = x + 5.5;
    let base = base - (x + 0.5) * base.ln();
    let mut at = x;
    let mut series = 1.000_000_000_190_015;
    for coefficient in COEFFICIENTS {
        at += 1.0;
        series += coefficient / at;
    }
    -base + (2.506_628_274_631_000_5 * series / x).ln()
}

/// Probability that a χ² of one degree of freedom is at least this.
pub(crate) fn chi_square_tail(value: f64) -> f64 {
    if value <= 0.0 { 1.0 } else { erfc((value / 2.0).sqrt()) }
}

/// Complementary error function for x ≥ 0: by its series up to 2, by its continued fraction beyond.
fn erfc(x: f64) -> f64 {
    let to_erf = 2.0 / std::f64::consts::PI.sqrt();
    if x < 2.0 {
        let mut term = x;
        let mut sum = x;
        for n in 1..100 {
            let n = f64::from(n);
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        return (1.0 - to_erf * sum).max(0.0);
    }
    let mut fraction = x;
    for n in (1..=60).rev() {
        fraction = x + f64::from(n) / 2.0 / fraction;
    }
    (-x * x).exp() / fraction / std::f64::consts::PI.sqrt()
}

/// G-test of two shares, `a` of (with, without) against `b`: the probability by chance.
pub(crate) fn g_test(a: (usize, usize), b: (usize, usize)) -> f64 {
    let cells = [[a.0 as f64, a.1 as f64], [b.0 as f64, b.1 as f64]];
    let rows = [cells[0][0] + cells[0][1], cells[1][0] + cells[1][1]];
    let columns = [cells[0][0] + cells[1][0], cells[0][1] + cells[1][1]];
    let all = rows[0] + rows[1];
    let mut g = 0.0;
    for (row, of_row) in cells.iter().zip(rows) {
        for (cell, of_column) in row.iter().zip(columns) {
            let expected = of_row * of_column / all;
            if *cell > 0.0 && expected > 0.0 {
                g += 2.0 * cell * (cell / expected).ln();
            }
        }
    }
    chi_square_tail(g)
}

/// Kolmogorov and Smirnov: the probability of a distance as large between samples of these sizes by chance.
pub(crate) fn kolmogorov_tail(distance: f64, a: usize, b: usize) -> f64 {
    let effective = (a as f64 * b as f64 / (a + b).max(1) as f64).sqrt();
    let lambda = (effective + 0.12 + 0.11 / effective.max(1e-9)) * distance;
    let mut sum = 0.0;
    for n in 1..=100 {
        let n = f64::from(n);
        let sign = if n % 2.0 == 1.0 { 1.0 } else { -1.0 };
        sum += sign * (-2.0 * lambda * lambda * n * n).exp();
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Benjamini and Hochberg: each probability as the rate of false discoveries if it is believed.
pub(crate) fn false_discovery(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|a, b| chances[*a].total_cmp(&chances[*b]));
    let mut rates = vec![1.0; chances.len()];
    let mut least = 1.0f64;
    for (place, index) in order.into_iter().enumerate().rev() {
        least = least.min(chances[index] * chances.len() as f64 / (place + 1) as f64);
        rates[index] = least;
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_computed_by_hand() {
        // Poisson, mean 2: P(X ≥ 5) = 1 − e⁻²(1 + 2 + 2 + 4/3 + 2/3) = 0.052653; P(X ≤ 0) = e⁻².
        let poisson = f64::INFINITY;
        assert!((more(5.0, 2.0, poisson) - 1.278_577).abs() < 1e-4);
        assert!((fewer(0.0, 2.0, poisson) - 0.868_589).abs() < 1e-5);
        // Negative binomial of size 1 is geometric: P(X ≥ k) = (m/(1+m))^k.
        assert!((more(4.0, 1.0, 1.0) - 4.0 * 2f64.log10()).abs() < 1e-6);
        assert!((fewer(0.0, 3.0, 1.0) - 4f64.log10()).abs() < 1e-6);
        assert_eq!(more(1.0, 2.0, poisson), 0.0);
        assert_eq!(fewer(3.0, 2.0, poisson), 0.0);
        assert!(more(3.0, 0.0, poisson).is_infinite());
        assert!(more(1e6, 10.0, 0.5).is_finite());
    }

    #[test]
    fn known_points() {
        for (value, expected) in
            [(3.841_459, 0.05), (6.634_897, 0.01), (10.827_566, 0.001), (23.928_13, 1e-6)]
        {
            assert!((chi_square_tail(value) / expected - 1.0).abs() < 1e-4, "{value}");
        }
        assert!((ln_gamma(5.0) - 24f64.ln()).abs() < 1e-9);
        // 30 of 40 against 10 of 40: G = 2 (60 ln 1.5 + 20 ln 0.5) = 20.930, p = 4.77e-6.
        assert!((g_test((30, 10), (10, 30)) / 4.767e-6 - 1.0).abs() < 0.01);
        // λ = 1.36 is the 5 % point.
        assert!(
            (kolmogorov_tail(1.358_1 / (50f64.sqrt() + 0.12 + 0.11 / 50f64.sqrt()), 100, 100) - 0.05).abs()
                < 1e-3
        );
    }

    #[test]
    fn rates_of_false_discoveries() {
        let rates = false_discovery(&[0.01, 0.04, 0.03, 0.5]);
        let expected = [0.04, 0.053_333, 0.053_333, 0.5];
        for (rate, expected) in rates.iter().zip(expected) {
            assert!((rate - expected).abs() < 1e-5, "{rate} {expected}");
        }
    }
}
