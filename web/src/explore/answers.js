/** Asks the API, and shapes what it answers into times and lines. */

import { getJson, serverNow } from "../api.js";
import { withDistinctNames } from "../distinct_names.js";

const QUERY_URL = "/api/v1/telemetry/query";
const PROMQL_URL = "/prometheus/api/v1/";
const POINTS = 300;
const HOUR = 3600;
const SHORTEST_TOGETHER = 60;
const LONGEST_CUT = 300;
// These grow until their step is over.
const GROWING = ["sum", "count", "increase"];
const LONGEST_PART_OF_HOUR = 600;
// Hours are rolled up: beyond ten minutes a step is a whole one.
const NICE_STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR];
export const AGO = { "1h": "an hour ago", "1d": "a day ago", "1w": "a week ago" };
const NOBODYS = { department: "no department", location: "no place", os: "unknown system", domain: "no domain" };

/**
 * The step to ask for. Where devices are put together, an automatic one is no shorter than the usual distance of their
 * samples: with fewer, each step would hold other devices than the one before.
 */
function stepOf(state, span) {
  const step = state.get("step");
  const isTogether = !state.get("by").includes("device");
  return !step && isTogether ? String(Math.max(SHORTEST_TOGETHER, niceStep(span))) : step;
}

/** The range in whole steps. One that is not over yet is left out while it holds some of the devices only. */
function wholeSteps(state, [from, to]) {
  const step = Number(stepOf(state, to - from));
  if (state.get("by").includes("device") || !(step <= LONGEST_CUT)) return [from, to];
  const [first, next] = [Math.floor(from / step), Math.ceil(to / step)];
  const toldAfter = GROWING.includes(state.get("agg")) ? step : Math.min(step, SHORTEST_TOGETHER);
  const isTold = (next - 1) * step + toldAfter <= serverNow();
  return [first * step, Math.max(isTold ? next : next - 1, first + 1) * step];
}

/** The query's parameters out of the page's state. */
export function metricsParameters(state, from, to) {
  const step = stepOf(state, to - from);
  const seconds = Number(step || (to - from) / POINTS);
  const parameters = [["from", from.toFixed(3)], ["to", to.toFixed(3)], ["agg", state.get("agg")], ["explain", "true"]];
  for (const name of ["metric", "by", "device", "department", "device_type"]) {
    for (const value of state.get(name)) parameters.push([name, value]);
  }
  if (step) parameters.push(["step", step]);
  else parameters.push(["points", String(POINTS)]);
  if (state.get("across")) parameters.push(["across", state.get("across")]);
  if (state.get("top") !== "all") parameters.push(["top", state.get("top")]);
  if (state.get("compare")) parameters.push(["compare", state.get("compare")]);
  // Whole steps of an hour and more are answered by rollups alone. An automatic step is rounded up.
  if (Number.isNaN(seconds) || seconds > LONGEST_PART_OF_HOUR) parameters.push(["whole", "true"]);
  return parameters;
}

function unitOf(unit, aggregate, across) {
  if (aggregate === "count" || across === "count") return "";
  return aggregate === "rate" ? `${unit}/s` : unit;
}

function nameOf(series, hasMany, ago) {
  const parts = Object.entries(series.group).filter(([key]) => key !== "device");
  const words = parts.map(([key, value]) => value || NOBODYS[key] || `no ${key}`);
  if (hasMany || !words.length) words.unshift(series.metric);
  return words.join(" · ") + (series.compared ? ` · ${ago}` : "");
}

export async function askMetrics(state, bounds, signal) {
  const [from, to] = wholeSteps(state, bounds);
  const answer = await getJson(QUERY_URL, metricsParameters(state, from, to), signal);
  const ago = AGO[state.get("compare")] ?? `${state.get("compare")} ago`;
  const hasMany = new Set(answer.series.map(({ metric }) => metric)).size > 1;
  const lines = answer.series
    .map((series) => ({
      name: nameOf(series, hasMany, ago),
      unit: unitOf(series.unit, series.agg, series.across),
      href: series.group.device ? `/devices/${encodeURIComponent(series.group.device)}` : null,
      labels: { metric: series.metric, aggregate: series.agg, ...(series.across ? { across: series.across } : {}), ...series.group, ...(state.get("compare") ? { compared: series.compared ? state.get("compare") : "" } : {}) },
      compared: series.compared,
      key: JSON.stringify([series.metric, series.group]),
      values: series.points.map(([, value]) => value),
    }))
    .filter(({ values }) => values.some((value) => value !== null));
  const times = answer.series[0]?.points.map(([time]) => time) ?? [];
  return { times, lines: withDistinctNames(lines), step: answer.step, groups: answer.groups, plan: answer.plan ?? [] };
}

export function niceStep(span) {
  const least = span / POINTS;
  return NICE_STEPS.find((step) => step >= least) ?? Math.ceil(least / (24 * HOUR)) * 24 * HOUR;
}

function promqlName(labels) {
  const { __name__: name = "", ...rest } = labels;
  // Whose series it is stands in `instance`; the id beside it says the same again.
  if (rest.instance) delete rest.device_id;
  const inner = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(", ");
  return inner ? `${name}{${inner}}` : name || "{}";
}

function promqlLine(labels, units, values) {
  const href = labels.device_id ? `/devices/${encodeURIComponent(labels.device_id)}` : null;
  return { name: promqlName(labels), unit: units.get(labels.__name__) ?? "", href, labels, compared: false, key: JSON.stringify(labels), values };
}

const toNumber = (text) => {
  const value = Number(text.replace("Inf", "Infinity"));
  return Number.isFinite(value) ? value : null;
};

async function askRange(state, [from, to], units, signal) {
  const step = Number(state.get("pstep")) || niceStep(to - from);
  const start = Math.ceil(from / step) * step;
  const end = Math.max(start, Math.floor(to / step) * step);
  const parameters = [["query", state.get("query")], ["start", start], ["end", end], ["step", step]];
  const { data } = await getJson(`${PROMQL_URL}query_range`, parameters, signal);
  const times = Array.from({ length: Math.round((end - start) / step) + 1 }, (_, index) => start + index * step);
  const lines = data.result.map(({ metric, values }) => {
    const column = new Array(times.length).fill(null);
    for (const [time, text] of values) column[Math.round((time - start) / step)] = toNumber(text);
    return promqlLine(metric, units, column);
  });
  return { times, lines: withDistinctNames(lines), step: String(step), groups: lines.length, plan: [] };
}

async function askInstant(state, [, to], units, signal) {
  const { data } = await getJson(`${PROMQL_URL}query`, [["query", state.get("query")], ["time", to.toFixed(3)]], signal);
  const { resultType: kind, result } = data;
  let lines;
  if (kind === "vector") lines = result.map(({ metric, value }) => promqlLine(metric, units, [toNumber(value[1])]));
  else if (kind === "matrix") lines = result.map(({ metric, values }) => promqlLine(metric, units, [toNumber(values.at(-1)[1])]));
  else lines = [{ ...promqlLine({}, units, [kind === "scalar" ? toNumber(result[1]) : null]), name: kind }];
  const texts = kind === "vector" ? result.map(({ value }) => value[1]) : kind === "matrix" ? result.map(({ values }) => values.at(-1)[1]) : [result[1]];
  lines.forEach((line, index) => {
    line.text = texts[index];
  });
  return { times: [to], lines: withDistinctNames(lines), step: "", groups: lines.length, plan: [], isInstant: true };
}

export function askPromql(state, bounds, units, signal) {
  return (state.get("kind") === "instant" ? askInstant : askRange)(state, bounds, units, signal);
}
