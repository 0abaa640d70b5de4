#include "examples/common/report/report_style.h"

namespace longtail::examples {

// The four series colours differ in lightness too, and each has a contrast of at least 3 to the
// card it is drawn on, in both schemes.
std::string_view ReportStyle() {
  return R"css(
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --ink: #1b2430; --soft: #566273; --rule: #dfe3e8;
  --s1: #2457c5; --s2: #c2570c; --s3: #0f7f6e; --s4: #8a3fb0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10141a; --card: #181e27; --ink: #e4e9f0; --soft: #9aa7b8; --rule: #2c3644;
    --s1: #7aa5ff; --s2: #f5a45c; --s3: #4fd0b8; --s4: #cf9bf0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 0 1rem 2rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header, main, footer { max-width: 66rem; margin: 0 auto; }
header { padding: 2rem 0 0.5rem; }
h1 { margin: 0 0 0.25rem; font-size: 1.75rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0 0 0.5rem; font-size: 1.2rem; }
h3 { margin: 1rem 0 0.5rem; font-size: 1.02rem; overflow-wrap: anywhere; }
p { margin: 0 0 0.75rem; max-width: 46rem; }
header p, footer { color: var(--soft); }
section {
  margin: 1rem 0; padding: 1.1rem 1.25rem; background: var(--card);
  border: 1px solid var(--rule); border-radius: 10px;
}
.tiles {
  display: grid; gap: 0.75rem; margin: 1rem 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr));
}
.tiles li {
  padding: 0.65rem 0.8rem; background: var(--card);
  border: 1px solid var(--rule); border-radius: 10px;
}
.tiles span { display: block; color: var(--soft); font-size: 0.85rem; }
.tiles strong { display: block; font-size: 1.15rem; font-weight: 650; white-space: nowrap; }
.tiles strong, td, svg text { font-variant-numeric: tabular-nums; }
.charts {
  display: grid; gap: 1.25rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr));
}
figure { margin: 0; max-width: 27rem; break-inside: avoid; }
figcaption { margin-bottom: 0.25rem; font-weight: 600; font-size: 0.95rem; }
figcaption + svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--soft); }
svg text.value { font-size: 10.5px; fill: var(--ink); }
svg text.absent { font-size: 11px; font-style: italic; }
svg text.middle { text-anchor: middle; }
svg text.end { text-anchor: end; }
.grid { stroke: var(--rule); }
.base { stroke: var(--soft); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.dashed { stroke-dasharray: 6 4; }
.line.s1 { stroke: var(--s1); } .line.s2 { stroke: var(--s2); }
.line.s3 { stroke: var(--s3); } .line.s4 { stroke: var(--s4); }
.mark.s1, .bar.s1 { fill: var(--s1); } .mark.s2, .bar.s2 { fill: var(--s2); }
.mark.s3, .bar.s3 { fill: var(--s3); } .mark.s4, .bar.s4 { fill: var(--s4); }
.legend {
  display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; margin: 0.1rem 0 0; padding: 0;
  list-style: none; color: var(--soft); font-size: 0.85rem;
}
.legend .key { width: 26px; height: 10px; margin-right: 0.4rem; }
.scroll { overflow-x: auto; margin: 0.75rem 0; }
.scroll:focus-visible { outline: 2px solid var(--s1); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
caption { padding: 0 0 0.3rem; text-align: left; font-weight: 600; font-size: 0.95rem; }
th, td { padding: 0.32rem 0.7rem; border-bottom: 1px solid var(--rule); vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; text-align: right; white-space: nowrap; }
thead th:first-child { text-align: left; }
tbody th { font-weight: 500; text-align: left; white-space: nowrap; }
.scroll td { text-align: right; white-space: nowrap; }
.facts { margin-bottom: 1rem; }
.facts th { width: 34%; color: var(--soft); white-space: normal; overflow-wrap: anywhere; }
.facts td { overflow-wrap: anywhere; }
.columns {
  display: grid; gap: 0 2rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
}
pre {
  margin: 0 0 1rem; padding: 0.7rem 0.9rem; background: var(--page); border-radius: 6px;
  font: 0.85rem/1.45 ui-monospace, "DejaVu Sans Mono", Consolas, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
details { margin: 0.75rem 0 0; }
summary { cursor: pointer; font-weight: 600; }
footer { padding: 0.5rem 0; font-size: 0.85rem; }
@media print { body { background: none; } section { break-inside: avoid-page; } }
)css";
}

}  // namespace longtail::examples
