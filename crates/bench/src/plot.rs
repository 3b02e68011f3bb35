//! Bars as SVG, long enough to be compared and with their figures beside them. The scale is logarithmic:
//! between the floor and what is usual there are orders of magnitude.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::report::rounded;
use crate::run::Results;
use crate::scenario::Scenario;

/// A figure of a scenario as a picture.
struct Plot {
    file: &'static str,
    title: &'static str,
    scenario: Scenario,
    figure: &'static str,
}

const PLOTS: [Plot; 5] = [
    Plot {
        file: "cpu.svg",
        title: "CPU µs for a token (steady)",
        scenario: Scenario::Steady,
        figure: "server_us",
    },
    Plot {
        file: "latency.svg",
        title: "added latency, p99 in µs (steady)",
        scenario: Scenario::Steady,
        figure: "latency_p99_us",
    },
    Plot {
        file: "sessions.svg",
        title: "sessions at 50 tokens/s with p99 under 50 ms (ramp)",
        scenario: Scenario::Ramp,
        figure: "sessions",
    },
    Plot {
        file: "blast.svg",
        title: "tokens a second (blast)",
        scenario: Scenario::Blast,
        figure: "tokens_per_s",
    },
    Plot {
        file: "idle.svg",
        title: "kB for an idle connection",
        scenario: Scenario::Idle,
        figure: "kb_per_user",
    },
];

const FOLDER: &str = "performance";
const ROW: u32 = 26;
const LABELS: u32 = 190;
const BARS: f64 = 360.0;
const WIDTH: u32 = 640;

/// Writes the plots below the folder of the docs, and gives the lines that show them.
///
/// # Errors
///
/// If a file cannot be written.
pub(crate) fn write_all(results: &Results, docs: &Path) -> anyhow::Result<String> {
    let mut lines = String::new();
    for plot in &PLOTS {
        let Some(found) = results.scenarios.get(&plot.scenario) else {
            continue;
        };
        let bars: Vec<(String, f64)> = found
            .iter()
            .filter_map(|(server, figures)| Some((server.to_string(), figures.get(plot.figure)?)))
            .collect();
        fs::write(docs.join(FOLDER).join(plot.file), svg(plot.title, &bars)?)?;
        writeln!(lines, "![{}]({FOLDER}/{})\n", plot.title, plot.file)?;
    }
    Ok(lines)
}

fn svg(title: &str, bars: &[(String, f64)]) -> anyhow::Result<String> {
    let rows = u32::try_from(bars.len())?;
    let height = ROW * (rows + 2);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\">{title}; logarithmic</text>\n"
    );
    let positive = || {
        bars.iter()
            .map(|(_, figure)| *figure)
            .filter(|it| *it > 0.0)
    };
    let least = positive().fold(f64::INFINITY, f64::min);
    let most = positive().fold(1.0, f64::max);
    for (row, (label, figure)) in (1_u32..).zip(bars) {
        let y = ROW * (row + 1);
        // The shortest has a length too.
        let share = (figure.max(least) / least).ln().max(0.0) / (most / least).ln().max(1e-9);
        let length = BARS * (0.1 + 0.9 * share.min(1.0));
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{label}</text>\
             <rect x=\"{LABELS}\" y=\"{}\" width=\"{length:.0}\" height=\"16\" fill=\"{}\"/>\
             <text x=\"{:.0}\" y=\"{y}\">{}</text>",
            LABELS - 8,
            y - 13,
            if label.starts_with("patter") {
                "#2563eb"
            } else {
                "#94a3b8"
            },
            f64::from(LABELS) + length + 6.0,
            rounded(*figure)
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_that_of_the_largest_figure() {
        let bars = [("floor".to_owned(), 1.0), ("patter".to_owned(), 100.0)];
        let svg = svg("cost", &bars).unwrap();
        assert!(
            svg.contains("width=\"360\" height=\"16\" fill=\"#2563eb\""),
            "{svg}"
        );
        assert!(
            svg.contains("width=\"36\" height=\"16\" fill=\"#94a3b8\""),
            "{svg}"
        );
    }
}
