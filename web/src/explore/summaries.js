/** Minimum, mean, maximum and last of each line, as a table that can be sorted. */

import { element, icon } from "../elements.js";
import { formatValue } from "../format.js";

const MOST_ROWS = 1000;
const COLUMNS = [["min", "Minimum"], ["mean", "Mean"], ["max", "Maximum"], ["last", "Last"]];

export function summaryOf(line) {
  let [min, max, sum, count, last] = [Infinity, -Infinity, 0, 0, null];
  for (const value of line.values) {
    if (value === null) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    count += 1;
    last = value;
  }
  return count ? { min, mean: sum / count, max, last } : { min: null, mean: null, max: null, last: null };
}

function sorted(rows, sort) {
  const falls = sort.startsWith("-");
  const key = sort.replace(/^-/, "");
  const order = new Intl.Collator(undefined, { numeric: true });
  const compare = key === "group"
    ? (a, b) => order.compare(a.line.name, b.line.name)
    : (a, b) => (a[key] ?? -Infinity) - (b[key] ?? -Infinity);
  return rows.sort((a, b) => (falls ? compare(b, a) : compare(a, b)));
}

function header(key, title, sort, onSort) {
  const isActive = sort.replace(/^-/, "") === key;
  const falls = sort.startsWith("-");
  const button = element("button", { type: "button", class: "sort" }, title, icon("arrow-down"));
  // Numbers fall at first, names rise.
  button.addEventListener("click", () => onSort(isActive ? (falls ? key : `-${key}`) : key === "group" ? key : `-${key}`));
  const state = isActive ? (falls ? "descending" : "ascending") : "none";
  return element("th", { scope: "col", class: key === "group" ? "" : "is-number", "aria-sort": state }, button);
}

function shown(value, line) {
  return value === null && line.text !== undefined ? line.text : formatValue(value, line.unit);
}

/** Draws the table; `onSort` gets the name of a column, with a minus for falling. */
export function showTable(host, answer, sort, onSort) {
  const columns = answer.isInstant ? [["last", "Value"]] : COLUMNS;
  const known = ["group", ...columns.map(([key]) => key)];
  const order = known.includes(sort.replace(/^-/, "")) ? sort : "-last";
  const rows = sorted(answer.lines.map((line) => ({ line, ...summaryOf(line) })), order);
  const heads = [header("group", answer.isInstant ? "Series" : "Group", order, onSort), ...columns.map(([key, title]) => header(key, title, order, onSort))];
  const body = rows.slice(0, MOST_ROWS).map((row) => {
    const { line } = row;
    const name = line.href ? element("a", { href: line.href }, line.name) : element("span", {}, line.name);
    const cells = columns.map(([key]) => element("td", { class: "is-number" }, shown(row[key], line)));
    return element("tr", { "data-line": true }, element("td", { class: "col-group" }, name), ...cells);
  });
  const table = element("table", { class: "fk-table is-dense" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body));
  const rest = rows.length - body.length;
  host.replaceChildren(table, ...(rest > 0 ? [element("p", { class: "results-more" }, `and ${rest} more; the CSV file has them all`)] : []));
}
