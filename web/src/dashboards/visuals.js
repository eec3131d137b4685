/** What a panel shows besides lines: figures, gauges, bars, tables, texts. */

import { drawing, element } from "../elements.js";
import { formatValue } from "../format.js";
import { showTable } from "../explore/summaries.js";
import { figureOf, levelOf } from "./answers.js";

const MOST_FIGURES = 12;
const MOST_BARS = 40;

function nameOf(line) {
  return line.href ? element("a", { href: line.href, title: line.name }, line.name) : element("span", { title: line.name }, line.name);
}

function figures(panel, answer) {
  return answer.lines.map((line) => ({ line, value: figureOf(line, panel.calc) })).filter(({ value }) => value !== null);
}

function spark(line) {
  const known = line.values.map((value, index) => [index, value]).filter(([, value]) => value !== null);
  if (known.length < 2) return null;
  const all = known.map(([, value]) => value);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const spread = high - low || 1;
  const points = known.map(([index, value]) => `${((index / (line.values.length - 1)) * 100).toFixed(2)},${(28 - ((value - low) / spread) * 26).toFixed(2)}`);
  return drawing("svg", { class: "stat-spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" }, drawing("polyline", { points: points.join(" ") }));
}

function showStat(host, panel, answer) {
  const all = figures(panel, answer);
  const alone = all.length === 1;
  const nodes = all.slice(0, MOST_FIGURES).map(({ line, value }) => element(
    "div", { class: `stat ${alone ? "is-alone" : ""}`, "data-line": true },
    element("b", { class: `stat-value ${levelOf(value, panel.thresholds)}` }, formatValue(value, line.unit)),
    element("span", { class: "stat-name" }, nameOf(line)), alone ? spark(line) : null,
  ));
  host.replaceChildren(element("div", { class: "stats" }, ...nodes));
}

function arc(share) {
  const angle = Math.PI * (1 - share);
  return `M 10 60 A 50 50 0 0 1 ${(60 + 50 * Math.cos(angle)).toFixed(3)} ${(60 - 50 * Math.sin(angle)).toFixed(3)}`;
}

function showGauge(host, panel, answer) {
  const nodes = figures(panel, answer).slice(0, MOST_FIGURES).map(({ line, value }) => {
    const low = panel.minimum ?? 0;
    const high = panel.maximum ?? (line.unit === "percent" ? 100 : Math.max(value, low + 1));
    const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
    const text = formatValue(value, line.unit);
    const picture = drawing(
      "svg", { viewBox: "0 0 120 70", role: "img", "aria-label": `${line.name}: ${text}` },
      drawing("path", { d: arc(1), class: "gauge-track" }), ...(share > 0.004 ? [drawing("path", { d: arc(share), class: `gauge-fill ${levelOf(value, panel.thresholds)}` })] : []),
    );
    return element("div", { class: "gauge", "data-line": true }, picture, element("b", {}, text), element("span", { class: "stat-name" }, nameOf(line)));
  });
  host.replaceChildren(element("div", { class: "gauges" }, ...nodes));
}

function showBars(host, panel, answer) {
  const all = figures(panel, answer).sort((a, b) => b.value - a.value).slice(0, MOST_BARS);
  const most = panel.maximum ?? Math.max(...all.map(({ value }) => Math.abs(value)), 0);
  const rows = all.map(({ line, value }) => {
    const fill = element("i", { class: `bars-fill ${levelOf(value, panel.thresholds)}` });
    fill.style.width = `${most ? Math.min(100, (Math.abs(value) / most) * 100) : 0}%`;
    return element(
      "li", { "data-line": true }, element("span", { class: "bars-name" }, nameOf(line)), element("b", {}, formatValue(value, line.unit)),
      element("span", { class: "bars-track" }, fill),
    );
  });
  host.replaceChildren(element("ol", { class: "bars" }, ...rows));
}

function showRows(host, panel, answer) {
  let sort = "-last";
  const wrap = element("div", { class: "table-wrap board-table" });
  const draw = () => showTable(wrap, answer, sort, (next) => {
    sort = next;
    draw();
  });
  draw();
  host.replaceChildren(wrap);
}

export const VISUALS = { stat: showStat, gauge: showGauge, bars: showBars, table: showRows };

/** A text as it is written; addresses do not become links, markup stays text. */
export function showText(host, panel) {
  host.replaceChildren(element("p", { class: "board-text" }, panel.text));
}
