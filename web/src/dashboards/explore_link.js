/** The address at which Explore asks what a panel asks. */

const all = (values, chosen) => {
  const result = [];
  for (const value of values) {
    const name = /^\$([a-z][a-z0-9_]*)$/.exec(value)?.[1];
    if (!name || !(name in chosen)) result.push(value);
    else if (!chosen[name].length) return [];
    else result.push(...chosen[name]);
  }
  return result;
};

const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

function channels(query, chosen) {
  let found = all(query.metrics, chosen);
  for (const [label, wanted] of Object.entries(query.filter.labels)) {
    const values = all(wanted, chosen);
    if (values.length) found = found.flatMap((metric) => values.map((value) => (metric.includes("{") ? metric : `${metric}{${label}=${quoted(value)}}`)));
  }
  return found;
}

/** The panel's first query; `texts` are the queries as they were asked. */
export function exploreAddress(panel, variables, values, texts, timeRange) {
  const chosen = Object.fromEntries(variables.map(({ name }) => [name, values[name] ?? []]));
  const parameters = new URLSearchParams();
  const [query] = panel.queries;
  if (query.language === "promql") {
    parameters.set("mode", "promql");
    parameters.set("query", texts[0] || query.query);
    if (query.instant) parameters.set("kind", "instant");
    if (query.step) parameters.set("pstep", query.step);
  } else {
    const same = panel.queries.filter(({ language, agg, across }) => language === "fleet" && agg === query.agg && across === query.across);
    for (const metric of new Set(same.flatMap((one) => channels(one, chosen)))) parameters.append("metric", metric);
    parameters.set("agg", query.agg);
    if (query.across) parameters.set("across", query.across);
    for (const item of query.by.length ? query.by : [""]) parameters.append("by", item);
    parameters.set("top", query.top ?? "all");
    if (query.compare) parameters.set("compare", query.compare);
    if (query.step) parameters.set("step", query.step);
    for (const kind of ["device", "department", "device_type"]) {
      for (const value of all(query.filter[kind], chosen)) parameters.append(kind, value);
    }
  }
  timeRange.writeTo(parameters);
  return `/explore?${parameters}`;
}
