//! Figures of a run, beside what a peer needs.

/// One measured figure, what the peer needs (docs/bench.md), and the most it may be.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) ours: f64,
    pub(crate) peer: &'static str,
    pub(crate) bound: Option<f64>,
}

/// The names of those over their bound.
pub(crate) fn over(figures: &[Figure]) -> impl Iterator<Item = String> {
    let over = figures.iter().filter(|figure| figure.bound.is_some_and(|bound| figure.ours > bound));
    over.map(|figure| figure.name.to_owned())
}

pub(crate) fn print(figures: &[Figure], peer: &str) {
    println!("| figure | ours | bound | {peer} |\n|---|---|---|---|");
    for Figure { name, ours, peer, bound } in figures {
        let digits = if *ours < 100.0 { 2 } else { 0 };
        let bound = bound.map_or("–".to_owned(), |bound| format!("{bound}"));
        println!("| {name} | {ours:.digits$} | {bound} | {peer} |");
    }
}
