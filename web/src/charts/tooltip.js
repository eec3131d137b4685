/** The list at the pointer: each line's value there, largest first, and what happened. One for the page: there is one pointer. */

import { element } from "../elements.js";
import { formatValue } from "../format.js";
import { swatch } from "./legend.js";

const MOST_ROWS = 12;
const GAP = 14;
const EDGE = 6;

const root = element("div", { class: "chart-tooltip", hidden: true, "aria-hidden": "true" });
let owner = null;

/** Lines without a value there come last. */
function sorted(rows) {
  return rows.sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity));
}

function rowOf({ line, value, isNear }) {
  return element("p", { class: isNear ? "is-near" : "" }, swatch(line), element("span", {}, line.name), element("b", {}, formatValue(value, line.unit)));
}

function chosen(rows) {
  const first = rows.slice(0, MOST_ROWS);
  const near = rows.find(({ isNear }) => isNear);
  if (near && !first.includes(near)) first.splice(-1, 1, near);
  return first;
}

function place(chart) {
  const box = chart.over.getBoundingClientRect();
  const [x, y] = [box.left + chart.cursor.left, box.top + chart.cursor.top];
  const { offsetWidth: width, offsetHeight: height } = root;
  const left = x + GAP + width + EDGE > window.innerWidth ? x - GAP - width : x + GAP;
  const top = Math.min(y + GAP, window.innerHeight - height - EDGE);
  root.style.left = `${Math.max(EDGE, left)}px`;
  root.style.top = `${Math.max(EDGE, top)}px`;
}

/** `rows` are [{ line, value, isNear }], `marks` the annotations at the pointer. */
export function showTooltip(chart, rows, marks) {
  owner = chart;
  const all = sorted(rows);
  const shown = chosen(all);
  const rest = all.length - shown.length;
  root.replaceChildren(
    ...marks.map(({ title, tone }) => element("p", { class: `chart-tooltip-mark is-${tone ?? "plain"}` }, title)),
    ...shown.map(rowOf), ...(rest > 0 ? [element("p", { class: "legend-rest" }, `and ${rest} more`)] : []),
  );
  // A dialog lies above all of the page.
  const layer = chart.over.closest("dialog") ?? document.body;
  if (root.parentNode !== layer) layer.append(root);
  root.hidden = false;
  place(chart);
}

/** Takes it away, if it is that of this chart. */
export function hideTooltip(chart) {
  if (owner !== chart) return;
  owner = null;
  root.hidden = true;
}
