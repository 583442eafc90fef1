//! The functions and what they take.

use super::ValueType;
use super::ValueType::{Matrix, Scalar, String, Vector};

/// What a function takes and gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signature {
    /// As it is written in a query.
    pub name: &'static str,
    /// Types of the arguments; what follows the last one is of its type.
    pub args: &'static [ValueType],
    /// Fewest arguments.
    pub min_args: usize,
    /// Most arguments, if there is a bound.
    pub max_args: Option<usize>,
    /// What it gives.
    pub result: ValueType,
    /// Whether Prometheus calls it experimental.
    pub is_experimental: bool,
}

const STABLE: bool = false;
const EXPERIMENTAL: bool = true;

/// The enum and its table from one list, so that they cannot differ.
macro_rules! functions {
    ($($variant:ident: $name:literal, [$($arg:ident),*], $min:literal, $max:expr, $result:ident, $stage:ident;)*) => {
        /// A function of PromQL.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Function {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        /// All functions, by name in ascending order.
        pub const FUNCTIONS: &[Function] = &[$(Function::$variant),*];

        impl Function {
            /// What it takes and gives.
            pub fn signature(self) -> &'static Signature {
                match self {
                    $(Self::$variant => &Signature {
                        name: $name,
                        args: &[$($arg),*],
                        min_args: $min,
                        max_args: $max,
                        result: $result,
                        is_experimental: $stage,
                    },)*
                }
            }
        }
    };
}

impl Function {
    /// That of this name (lower case, as Prometheus has it).
    pub fn of_name(name: &str) -> Option<Self> {
        let at = FUNCTIONS.binary_search_by_key(&name, |function| function.name()).ok()?;
        Some(FUNCTIONS[at])
    }

    /// As it is written in a query.
    pub fn name(self) -> &'static str {
        self.signature().name
    }
}

functions! {
    Abs: "abs", [Vector], 1, Some(1), Vector, STABLE;
    Absent: "absent", [Vector], 1, Some(1), Vector, STABLE;
    AbsentOverTime: "absent_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    Acos: "acos", [Vector], 1, Some(1), Vector, STABLE;
    Acosh: "acosh", [Vector], 1, Some(1), Vector, STABLE;
    Asin: "asin", [Vector], 1, Some(1), Vector, STABLE;
    Asinh: "asinh", [Vector], 1, Some(1), Vector, STABLE;
    Atan: "atan", [Vector], 1, Some(1), Vector, STABLE;
    Atanh: "atanh", [Vector], 1, Some(1), Vector, STABLE;
    AvgOverTime: "avg_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    Ceil: "ceil", [Vector], 1, Some(1), Vector, STABLE;
    Changes: "changes", [Matrix], 1, Some(1), Vector, STABLE;
    Clamp: "clamp", [Vector, Scalar, Scalar], 3, Some(3), Vector, STABLE;
    ClampMax: "clamp_max", [Vector, Scalar], 2, Some(2), Vector, STABLE;
    ClampMin: "clamp_min", [Vector, Scalar], 2, Some(2), Vector, STABLE;
    Cos: "cos", [Vector], 1, Some(1), Vector, STABLE;
    Cosh: "cosh", [Vector], 1, Some(1), Vector, STABLE;
    CountOverTime: "count_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    DayOfMonth: "day_of_month", [Vector], 0, Some(1), Vector, STABLE;
    DayOfWeek: "day_of_week", [Vector], 0, Some(1), Vector, STABLE;
    DayOfYear: "day_of_year", [Vector], 0, Some(1), Vector, STABLE;
    DaysInMonth: "days_in_month", [Vector], 0, Some(1), Vector, STABLE;
    Deg: "deg", [Vector], 1, Some(1), Vector, STABLE;
    Delta: "delta", [Matrix], 1, Some(1), Vector, STABLE;
    Deriv: "deriv", [Matrix], 1, Some(1), Vector, STABLE;
    DoubleExponentialSmoothing: "double_exponential_smoothing", [Matrix, Scalar, Scalar], 3, Some(3), Vector, EXPERIMENTAL;
    End: "end", [], 0, Some(0), Scalar, EXPERIMENTAL;
    Exp: "exp", [Vector], 1, Some(1), Vector, STABLE;
    FirstOverTime: "first_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    Floor: "floor", [Vector], 1, Some(1), Vector, STABLE;
    HistogramAvg: "histogram_avg", [Vector], 1, Some(1), Vector, STABLE;
    HistogramCount: "histogram_count", [Vector], 1, Some(1), Vector, STABLE;
    HistogramFraction: "histogram_fraction", [Scalar, Scalar, Vector], 3, Some(3), Vector, STABLE;
    HistogramQuantile: "histogram_quantile", [Scalar, Vector], 2, Some(2), Vector, STABLE;
    HistogramQuantiles: "histogram_quantiles", [Vector, String, Scalar, Scalar], 3, Some(12), Vector, EXPERIMENTAL;
    HistogramStddev: "histogram_stddev", [Vector], 1, Some(1), Vector, STABLE;
    HistogramStdvar: "histogram_stdvar", [Vector], 1, Some(1), Vector, STABLE;
    HistogramSum: "histogram_sum", [Vector], 1, Some(1), Vector, STABLE;
    Hour: "hour", [Vector], 0, Some(1), Vector, STABLE;
    Idelta: "idelta", [Matrix], 1, Some(1), Vector, STABLE;
    Increase: "increase", [Matrix], 1, Some(1), Vector, STABLE;
    Info: "info", [Vector, Vector], 1, Some(2), Vector, EXPERIMENTAL;
    Irate: "irate", [Matrix], 1, Some(1), Vector, STABLE;
    LabelJoin: "label_join", [Vector, String, String, String], 3, None, Vector, STABLE;
    LabelReplace: "label_replace", [Vector, String, String, String, String], 5, Some(5), Vector, STABLE;
    LastOverTime: "last_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    Ln: "ln", [Vector], 1, Some(1), Vector, STABLE;
    Log10: "log10", [Vector], 1, Some(1), Vector, STABLE;
    Log2: "log2", [Vector], 1, Some(1), Vector, STABLE;
    MadOverTime: "mad_over_time", [Matrix], 1, Some(1), Vector, EXPERIMENTAL;
    MaxOf: "max_of", [Scalar, Scalar], 2, Some(2), Scalar, EXPERIMENTAL;
    MaxOverTime: "max_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    MinOf: "min_of", [Scalar, Scalar], 2, Some(2), Scalar, EXPERIMENTAL;
    MinOverTime: "min_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    Minute: "minute", [Vector], 0, Some(1), Vector, STABLE;
    Month: "month", [Vector], 0, Some(1), Vector, STABLE;
    Pi: "pi", [], 0, Some(0), Scalar, STABLE;
    PredictLinear: "predict_linear", [Matrix, Scalar], 2, Some(2), Vector, STABLE;
    PresentOverTime: "present_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    QuantileOverTime: "quantile_over_time", [Scalar, Matrix], 2, Some(2), Vector, STABLE;
    Rad: "rad", [Vector], 1, Some(1), Vector, STABLE;
    Range: "range", [], 0, Some(0), Scalar, EXPERIMENTAL;
    Rate: "rate", [Matrix], 1, Some(1), Vector, STABLE;
    Resets: "resets", [Matrix], 1, Some(1), Vector, STABLE;
    Round: "round", [Vector, Scalar], 1, Some(2), Vector, STABLE;
    Scalar: "scalar", [Vector], 1, Some(1), Scalar, STABLE;
    Sgn: "sgn", [Vector], 1, Some(1), Vector, STABLE;
    Sin: "sin", [Vector], 1, Some(1), Vector, STABLE;
    Sinh: "sinh", [Vector], 1, Some(1), Vector, STABLE;
    Sort: "sort", [Vector], 1, Some(1), Vector, STABLE;
    SortByLabel: "sort_by_label", [Vector, String], 1, None, Vector, EXPERIMENTAL;
    SortByLabelDesc: "sort_by_label_desc", [Vector, String], 1, None, Vector, EXPERIMENTAL;
    SortDesc: "sort_desc", [Vector], 1, Some(1), Vector, STABLE;
    Sqrt: "sqrt", [Vector], 1, Some(1), Vector, STABLE;
    Start: "start", [], 0, Some(0), Scalar, EXPERIMENTAL;
    StartTimestamp: "start_timestamp", [Vector], 1, Some(1), Vector, EXPERIMENTAL;
    StddevOverTime: "stddev_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    StdvarOverTime: "stdvar_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    Step: "step", [], 0, Some(0), Scalar, EXPERIMENTAL;
    SumOverTime: "sum_over_time", [Matrix], 1, Some(1), Vector, STABLE;
    Tan: "tan", [Vector], 1, Some(1), Vector, STABLE;
    Tanh: "tanh", [Vector], 1, Some(1), Vector, STABLE;
    Time: "time", [], 0, Some(0), Scalar, STABLE;
    Timestamp: "timestamp", [Vector], 1, Some(1), Vector, STABLE;
    TsOfFirstOverTime: "ts_of_first_over_time", [Matrix], 1, Some(1), Vector, EXPERIMENTAL;
    TsOfLastOverTime: "ts_of_last_over_time", [Matrix], 1, Some(1), Vector, EXPERIMENTAL;
    TsOfMaxOverTime: "ts_of_max_over_time", [Matrix], 1, Some(1), Vector, EXPERIMENTAL;
    TsOfMinOverTime: "ts_of_min_over_time", [Matrix], 1, Some(1), Vector, EXPERIMENTAL;
    Vector: "vector", [Scalar], 1, Some(1), Vector, STABLE;
    Year: "year", [Vector], 0, Some(1), Vector, STABLE;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_function_is_found_by_its_name() {
        for function in FUNCTIONS {
            assert_eq!(Function::of_name(function.name()), Some(*function));
        }
        assert_eq!(Function::of_name("holt_winters"), None);
    }
}
