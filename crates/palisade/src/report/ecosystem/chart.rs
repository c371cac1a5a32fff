//! Charts as inline SVG. Each is an image with a name for those who do not see
//! it, and has its figures beside it as a table.

use std::fmt::Write;

use super::escape;

/// A bar of a chart: what it is, how long, and what is written at its end.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) shown: String,
    pub(super) colour: &'static str,
}

/// Horizontal bars, the longest of full width.
pub(super) fn bars(title: &str, bars: &[Bar]) -> String {
    const ROW: usize = 26;
    const LABEL: f64 = 190.0;
    const WIDTH: f64 = 600.0;
    let most = bars
        .iter()
        .map(|bar| bar.value)
        .fold(0.0, f64::max)
        .max(1e-9);
    let height = bars.len() * ROW;
    let mut svg = start(title, WIDTH, height, &described(bars));
    for (at, bar) in bars.iter().enumerate() {
        let y = at * ROW;
        let width = (bar.value / most) * (WIDTH - LABEL - 90.0);
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LABEL}\" y=\"{}\" width=\"{:.1}\" height=\"16\" rx=\"2\" fill=\"var(--{})\"/>\
             <text class=\"soft\" x=\"{:.1}\" y=\"{}\">{}</text>",
            LABEL - 8.0,
            y + 16,
            escape(&shortened(&bar.label, 26)),
            y + 3,
            width.max(1.0),
            bar.colour,
            LABEL + width.max(1.0) + 6.0,
            y + 16,
            escape(&bar.shown),
        );
    }
    finish(svg, title, bars)
}

/// Columns side by side, for a distribution.
pub(super) fn columns(title: &str, columns: &[Bar], below: &str) -> String {
    const WIDTH: f64 = 600.0;
    const HEIGHT: f64 = 170.0;
    let most = columns
        .iter()
        .map(|bar| bar.value)
        .fold(0.0, f64::max)
        .max(1e-9);
    let step = WIDTH / float(columns.len().max(1));
    let mut svg = start(title, WIDTH, 220, &described(columns));
    for (at, bar) in columns.iter().enumerate() {
        let height = (bar.value / most) * (HEIGHT - 22.0);
        let x = step * float(at);
        let _ = write!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\" fill=\"var(--{})\"/>\
             <text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text x=\"{:.1}\" y=\"188\" text-anchor=\"middle\">{}</text>",
            x + step * 0.1,
            HEIGHT - height,
            step * 0.8,
            height.max(0.5),
            bar.colour,
            x + step / 2.0,
            HEIGHT - height - 6.0,
            escape(&bar.shown),
            x + step / 2.0,
            escape(&bar.label),
        );
    }
    let _ = write!(
        svg,
        "<line x1=\"0\" x2=\"{WIDTH}\" y1=\"{HEIGHT}\" y2=\"{HEIGHT}\" stroke=\"var(--line)\"/>\
         <text class=\"soft\" x=\"{:.0}\" y=\"212\" text-anchor=\"middle\">{}</text>",
        WIDTH / 2.0,
        escape(below)
    );
    finish(svg, title, columns)
}

/// One bar of parts, with a key.
pub(super) fn parts(title: &str, parts: &[Bar]) -> String {
    const WIDTH: f64 = 600.0;
    let sum: f64 = parts.iter().map(|part| part.value).sum::<f64>().max(1e-9);
    let mut svg = start(title, WIDTH, 34, &described(parts));
    let mut x = 0.0;
    for part in parts {
        let width = part.value / sum * WIDTH;
        let _ = write!(
            svg,
            "<rect x=\"{x:.1}\" y=\"0\" width=\"{:.1}\" height=\"30\" fill=\"var(--{})\"/>",
            (width - 1.0).max(0.5),
            part.colour
        );
        x += width;
    }
    svg.push_str("</svg>");
    let mut key = String::from("<ul class=\"key\">");
    for part in parts {
        let _ = write!(
            key,
            "<li><i style=\"background:var(--{})\"></i>{}: {}</li>",
            part.colour,
            escape(&part.label),
            escape(&part.shown)
        );
    }
    key.push_str("</ul>");
    format!(
        "<figure><figcaption>{}</figcaption>{svg}{key}</figure>",
        escape(title)
    )
}

/// A line over years.
pub(super) fn line(title: &str, points: &[Bar], most: f64) -> String {
    const WIDTH: f64 = 600.0;
    const HEIGHT: f64 = 150.0;
    let mut svg = start(title, WIDTH, 190, &described(points));
    for share in [0.0, 0.5, 1.0] {
        let y = HEIGHT - share * (HEIGHT - 20.0);
        let _ = write!(
            svg,
            "<line x1=\"0\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--line)\"/>\
             <text class=\"soft\" x=\"0\" y=\"{:.1}\">{:.0}</text>",
            y - 4.0,
            share * most
        );
    }
    let step = (WIDTH - 80.0) / float(points.len().saturating_sub(1).max(1));
    let place = |at: usize, value: f64| {
        (
            45.0 + step * float(at),
            HEIGHT - (value / most).clamp(0.0, 1.0) * (HEIGHT - 20.0),
        )
    };
    let path: Vec<String> = points
        .iter()
        .enumerate()
        .map(|(at, point)| {
            let (x, y) = place(at, point.value);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    let colour = points.first().map_or("one", |point| point.colour);
    let _ = write!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"var(--{colour})\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    // Where years are many, every label would cover the next one.
    let every = points.len().div_ceil(12).max(1);
    for (at, point) in points.iter().enumerate() {
        let (x, y) = place(at, point.value);
        let _ = write!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"var(--{colour})\"/>"
        );
        if at % every == 0 {
            let _ = write!(
                svg,
                "<text class=\"soft\" x=\"{x:.1}\" y=\"172\" text-anchor=\"middle\">{}</text>",
                escape(&point.label)
            );
        }
    }
    finish(svg, title, points)
}

fn start(title: &str, width: f64, height: usize, description: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}: {}\">",
        escape(title),
        escape(description)
    )
}

fn described(bars: &[Bar]) -> String {
    let parts: Vec<String> = bars
        .iter()
        .map(|bar| format!("{} {}", bar.label, bar.shown))
        .collect();
    parts.join(", ")
}

fn finish(mut svg: String, title: &str, bars: &[Bar]) -> String {
    svg.push_str("</svg>");
    let mut rows = String::new();
    for bar in bars {
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td></tr>",
            escape(&bar.label),
            escape(&bar.shown)
        );
    }
    format!(
        "<figure><figcaption>{}</figcaption>{svg}<details><summary>Figures</summary>\
         <div class=\"table\"><table>{rows}</table></div></details></figure>",
        escape(title)
    )
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

fn float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
