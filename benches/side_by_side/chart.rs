//! The medians of all cases as bars, one picture.

use std::fmt::Write as _;

use crate::report::Report;

const WIDTH: f64 = 860.0;
const NAMES: f64 = 300.0;
const BAR: f64 = 16.0;
const STEP: f64 = 22.0;

/// A picture of all cases; within each the longest bar is the slowest contender, and ours are dark.
pub(crate) fn svg(report: &Report) -> String {
    let mut body = String::new();
    let mut y = 10.0;
    for case in &report.cases {
        y += 24.0;
        text(
            &mut body,
            10.0,
            y,
            "bold",
            &format!("{} ({})", case.title, case.unit),
        );
        y += 8.0;
        let most = case
            .runs
            .iter()
            .map(|runs| runs.median())
            .fold(0.0, f64::max);
        for runs in &case.runs {
            let value = runs.median();
            let length = (WIDTH - NAMES - 90.0) * value / most.max(f64::MIN_POSITIVE);
            let colour = if runs.is_ours() { "#1f5fa8" } else { "#b8bfc6" };
            text(&mut body, 10.0, y + 13.0, "normal", &runs.name);
            _ = writeln!(
                body,
                "<rect x=\"{NAMES}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>"
            );
            text(
                &mut body,
                NAMES + length + 6.0,
                y + 13.0,
                "normal",
                &format!("{value:.2}"),
            );
            y += STEP;
        }
    }
    let height = y + 16.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn text(out: &mut String, x: f64, y: f64, weight: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-weight=\"{weight}\">{words}</text>"
    );
}
