/** Shapes the API's series into the columns that a chart draws. */

const MOST_LINES = 24;

/** Every metric a panel needs, with how it is asked for. */
export function neededMetrics(definition) {
  const needed = [...definition.series, ...(definition.fallback ?? [])].map(({ metric, rate }) => ({ metric, rate: Boolean(rate) }));
  if (definition.ceiling) needed.push({ metric: definition.ceiling, rate: false });
  return needed;
}

function linesOf(specification, definition, answers) {
  const found = answers.filter((one) => one.metric === specification.metric && (one.agg === "rate") === Boolean(specification.rate));
  const { by, each, prefix = "", suffix = "", name } = specification;
  const nameOf = ({ metric, labels }) => (by ? `${prefix}${labels[by]}${suffix}` : each ? Object.values(labels).join(" · ") || metric : name);
  const chosen = each ? found : by ? found.filter((one) => one.labels[by] !== undefined) : found.slice(0, 1);
  const order = new Intl.Collator(undefined, { numeric: true });
  return chosen
    .map((one) => ({
      metric: one.metric,
      labels: one.labels,
      label: by ? one.labels[by] : "",
      name: nameOf(one),
      unit: definition.unit,
      rate: Boolean(specification.rate),
      mirror: Boolean(specification.mirror),
      factor: specification.factor ?? 1,
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
export function buildLines(definition, answers) {
  let lines = definition.series.flatMap((one) => linesOf(one, definition, answers));
  if (!lines.length && definition.fallback) lines = definition.fallback.flatMap((one) => linesOf(one, definition, answers));
  if (!lines.length) return { times: [], lines: [], left: 0 };
  const found = lines.length;
  if (definition.kind !== "heatmap") lines = busiest(lines);
  const times = sharedTimes(lines);
  for (const line of lines) {
    line.values = align(times, line.points, line.factor);
    delete line.points;
  }
  return { times, lines, left: found - lines.length };
}

/** Last known value of the metric that is a chart's ceiling, such as the size of the memory. */
export function ceilingOf(definition, answers) {
  const points = answers.find((one) => one.metric === definition.ceiling)?.points ?? [];
  return points.findLast(([, value]) => value !== null)?.[1] ?? null;
}
