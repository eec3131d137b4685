/** What a chart is drawn from, the same on device pages, in Explore and on dashboards.
 *
 * A *panel* says what to ask and how to show it. These fields are those that dashboards store, as the guide on dashboards describes them:
 * `title`, `description`, `kind` (line, area, bars, stat, gauge, table, text), `width` in twelfths, `x`, `y` and `height` in the grid, `unit`,
 * `queries`, `text`, `thresholds` [{ value, level }], `calc`, `minimum`, `maximum`, `stacked`, `missing`.
 * Panels of a device's page may say more, which is not stored: `id`, the kind `heatmap`, `maximums` to choose the scale's end from, `ceiling` (a metric
 * whose value ends the scale), `fallback` (queries for a device without the first ones), `collector` (the agent's, to explain missing data), and
 * `optional` (left out without data).
 *
 * A *query* is `{ language: "fleet", metrics, by, agg, across, top, step, compare, legend, filter }` or
 * `{ language: "promql", query, instant, step, legend, filter }`. On a device's page it may have `mirror` (drawn below zero), `factor`, and `each`
 * (a line for every series, whatever its labels).
 *
 * An *answer* is what comes back, and what is drawn: `{ times, lines, left }`. `times` are seconds since 1970, oldest first; `left` counts lines that were
 * not sent. A *line* is `{ key, name, unit, values }` with a value or null for each time, and maybe `labels`, `href` (the page of whose it is), `compared`
 * (values of an earlier time, in the color of the line with the same key) and `mirror`.
 */

export const newFilter = () => ({ device: [], department: [], device_type: [], labels: {} });

export function newQuery(changes = {}) {
  return {
    language: "fleet", metrics: ["cpu_usage_percent"], by: ["device"], agg: "avg", across: null, top: 10, step: null, compare: null, legend: "", filter: newFilter(), ...changes,
  };
}

export function newPromqlQuery(changes = {}) {
  return { language: "promql", query: "", instant: false, step: null, legend: "", filter: newFilter(), ...changes };
}

export function newPanel(changes = {}) {
  return {
    title: "New panel", description: "", kind: "line", width: 6, unit: null, text: "", thresholds: [], calc: "last", minimum: null, maximum: null,
    stacked: false, missing: "", queries: [newQuery()], ...changes,
  };
}
