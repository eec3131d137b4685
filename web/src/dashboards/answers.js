/** Asks the API for what a panel shows, and shapes the answer into times and lines. */

import { postJson } from "../api.js";
import { withDistinctNames } from "../distinct_names.js";
import { formatDuration, formatMoment } from "../format.js";

// A range that ended longer ago is not about now.
const LOOKBACK_SECONDS = 300;
const QUERY_URL = "/api/v1/dashboards/query";

/** The variables that queries name; the others' values are not their business. */
function named(queries, variables) {
  const text = JSON.stringify(queries);
  return variables.filter(({ name }) => new RegExp(`\\$${name}(?![a-z0-9_])`).test(text));
}

function merged(answers) {
  const sets = answers.filter(({ times }) => times.length).map(({ times }) => times);
  const first = sets[0] ?? [];
  const alike = sets.every((times) => times.length === first.length && times[0] === first[0] && times.at(-1) === first.at(-1));
  return alike ? first : [...new Set(sets.flat())].sort((a, b) => a - b);
}

function column(times, answer, values) {
  if (answer.times === times || (answer.times.length === times.length && answer.times[0] === times[0])) return values;
  const known = new Map(answer.times.map((time, index) => [time, values[index]]));
  return times.map((time) => known.get(time) ?? null);
}

/** The panel's lines: `values` stand at the moments of `times`. */
export async function askPanel(panel, variables, values, [from, to], points, signal) {
  const wanted = named(panel.queries, variables);
  const body = {
    queries: panel.queries,
    variables: wanted,
    values: Object.fromEntries(wanted.map(({ name }) => [name, values[name] ?? []])),
    from: from.toFixed(3),
    to: to.toFixed(3),
    points,
  };
  const { answers } = await postJson(QUERY_URL, body, signal);
  const times = merged(answers);
  const lines = answers.flatMap((answer, place) => answer.series.map((series) => ({
    name: series.name,
    unit: panel.unit ?? series.unit,
    href: series.device ? `/devices/${encodeURIComponent(series.device)}` : null,
    labels: series.labels,
    compared: series.compared,
    key: JSON.stringify([place, series.labels]),
    values: column(times, answer, series.values),
  })));
  return {
    times,
    lines: withDistinctNames(lines.filter((line) => line.values.some((value) => value !== null))),
    groups: answers.reduce((sum, { total }) => sum + total, 0),
    isInstant: panel.queries.every(({ instant }) => instant),
    texts: answers.map(({ text }) => text),
    warnings: answers.flatMap(({ warnings }) => warnings),
  };
}

export function figureOf(line, calc) {
  const found = line.values.filter((value) => value !== null);
  if (!found.length) return null;
  const sum = found.reduce((total, value) => total + value, 0);
  return { last: found.at(-1), mean: sum / found.length, min: Math.min(...found), max: Math.max(...found), sum }[calc];
}

const AGGREGATES = { mean: "mean over", min: "minimum over", max: "maximum over", sum: "sum over" };

/** What a panel's figures are, in words: `now` or `mean over 6 h`. */
export function figureWords(calc, isInstant, [from, to], nowSeconds) {
  if (!isInstant && calc !== "last") return `${AGGREGATES[calc]} ${formatDuration(Math.round(to - from)).replace(/ 0 (h|min)$/, "")}`;
  if (nowSeconds - to > LOOKBACK_SECONDS) return `at ${formatMoment(new Date(to * 1000), nowSeconds * 1000)}`;
  return isInstant ? "now" : "latest";
}

/** The level of a value: that of the highest threshold which it reaches. */
export function levelOf(value, thresholds) {
  let best = null;
  for (const one of thresholds) if (value !== null && value >= one.value && (!best || one.value > best.value)) best = one;
  return best ? `is-${best.level}` : "";
}
