/** Shapes the API's series into the columns that a chart draws. */

const MOST_LINES = 24;

const isRate = ({ agg }) => agg === "rate";

/** Every metric a panel needs, with how it is asked for. */
export function neededMetrics(panel) {
  const needed = [...panel.queries, ...(panel.fallback ?? [])].flatMap((query) => query.metrics.map((metric) => ({ metric, rate: isRate(query) })));
  if (panel.ceiling) needed.push({ metric: panel.ceiling, rate: false });
  return needed;
}

const labelsOf = (query) => query.by.map((name) => name.replace(/^label:/, ""));

function seriesOf(query, answers) {
  const found = answers.filter(({ metric, agg }) => query.metrics.includes(metric) && (agg === "rate") === isRate(query));
  if (query.each) return found;
  const names = labelsOf(query);
  return names.length ? found.filter(({ labels }) => names.every((name) => labels[name] !== undefined)) : found.slice(0, 1);
}

function nameOf(query, { metric, labels }) {
  const own = query.each ? Object.values(labels) : labelsOf(query).map((name) => labels[name]);
  return [query.legend, ...own].filter(Boolean).join(" · ") || metric;
}

function linesOf(query, panel, answers) {
  const order = new Intl.Collator(undefined, { numeric: true });
  return seriesOf(query, answers)
    .map((one) => ({
      metric: one.metric,
      labels: one.labels,
      label: labelsOf(query).map((name) => one.labels[name]).join(" · "),
      name: nameOf(query, one),
      unit: panel.unit,
      rate: isRate(query),
      mirror: Boolean(query.mirror),
      factor: query.factor ?? 1,
      points: one.points,
    }))
    .sort((a, b) => order.compare(a.name, b.name));
}

function sharedTimes(lines) {
  const [first] = lines;
  const alike = lines.every(
    ({ points }) => points.length === first.points.length && points[0]?.[0] === first.points[0]?.[0],
  );
  if (alike) return first.points.map(([time]) => time);
  return [...new Set(lines.flatMap(({ points }) => points.map(([time]) => time)))].sort((a, b) => a - b);
}

function align(times, points, factor) {
  const known = new Map(points);
  return times.map((time) => {
    const value = known.get(time) ?? null;
    return value === null ? null : value * factor;
  });
}

/** A host with hundreds of interfaces shows the busiest ones. */
function busiest(lines) {
  if (lines.length <= MOST_LINES) return lines;
  const peak = ({ points }) => points.reduce((top, [, value]) => Math.max(top, value ?? 0), 0);
  const kept = new Set(lines.map((line) => [peak(line), line]).sort(([a], [b]) => b - a).slice(0, MOST_LINES).map(([, line]) => line));
  return lines.filter((line) => kept.has(line));
}

/** Times and lines of a panel out of all series of an answer. `left` counts the lines that found no room. */
export function buildLines(panel, answers) {
  let lines = panel.queries.flatMap((query) => linesOf(query, panel, answers));
  if (!lines.length && panel.fallback) lines = panel.fallback.flatMap((query) => linesOf(query, panel, answers));
  if (!lines.length) return { times: [], lines: [], left: 0 };
  const found = lines.length;
  if (panel.kind !== "heatmap") lines = busiest(lines);
  const times = sharedTimes(lines);
  for (const line of lines) {
    line.values = align(times, line.points, line.factor);
    delete line.points;
  }
  return { times, lines, left: found - lines.length };
}

/** Last known value of the metric that is a chart's ceiling, such as the size of the memory. */
export function ceilingOf({ ceiling }, answers) {
  const points = answers.find((one) => one.metric === ceiling)?.points ?? [];
  return points.findLast(([, value]) => value !== null)?.[1] ?? null;
}
