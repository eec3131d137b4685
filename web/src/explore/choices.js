/** What the pickers offer: metrics, what makes groups, devices, departments and types. */

import { getJson } from "../api.js";

const METRICS_URL = "/api/v1/telemetry/metrics";
const DEVICES_URL = "/api/v1/devices";
const GROUPS = [
  ["device", "Device"], ["department", "Department"], ["device_type", "Device type"], ["location", "Location"],
  ["os", "Operating system"], ["status", "Status"], ["lifecycle", "Lifecycle"], ["domain", "Domain"],
];
let loading = null;

/** All metrics: [{name, unit, description, …}]. */
export function catalogue() {
  loading ??= getJson(METRICS_URL).then(({ results }) => results);
  loading.catch(() => {
    loading = null;
  });
  return loading;
}

/** Those that hold all words of a text, names that begin with it first. */
export async function findMetrics(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const [first, together] = [words[0] ?? "", words.join("_")];
  const rank = ({ name }) => [name.startsWith(together), name.includes(together), name.startsWith(first), true].indexOf(true);
  return (await catalogue())
    .filter(({ name, description }) => words.every((word) => `${name} ${description}`.toLowerCase().includes(word)))
    .map((metric) => [rank(metric), metric])
    .sort(([a, one], [b, other]) => a - b || (text ? one.name.length - other.name.length : 0) || one.name.localeCompare(other.name))
    .map(([, { name, unit, description }]) => ({ value: name, title: name, note: unit, detail: description }));
}

const bare = (metric) => metric.split("{")[0];

/** What may make groups; labels are those of the chosen metrics. */
export async function findGroups(text, metrics) {
  const matches = metrics.map((metric) => ["match[]", bare(metric)]);
  const labels = matches.length ? (await getJson("/prometheus/api/v1/labels", matches)).data : [];
  const own = labels.filter((name) => !["__name__", "instance", "device_id"].includes(name)).map((name) => [`label:${name}`, `Label ${name}`]);
  return [...GROUPS, ...own]
    .filter(([value, title]) => `${value} ${title}`.toLowerCase().includes(text.toLowerCase()))
    .map(([value, title]) => ({ value, title, note: "" }));
}

export async function groupTitles(values) {
  const known = new Map(GROUPS);
  return values.map((value) => [value, known.get(value) ?? value.replace(/^label:/, "Label ")]);
}

export async function findDevices(text, signal) {
  const parameters = [["limit", "30"], ["ordering", "name"], ...(text ? [["q", text]] : [])];
  const { results } = await getJson(DEVICES_URL, parameters, signal);
  return results.map(({ id, name, status, os_name: system }) => ({ value: id, title: name, note: status, detail: system ?? "" }));
}

export async function deviceTitles(values) {
  if (!values.length) return [];
  try {
    const { results } = await getJson(DEVICES_URL, [["id__in", values.join(",")], ["limit", String(values.length)]]);
    return results.map(({ id, name }) => [id, name]);
  } catch {
    return [];
  }
}

/** Out of a short list of [value, title]. */
export const among = (choices) => async (text) =>
  choices
    .filter(([value, title]) => `${value} ${title}`.toLowerCase().includes(text.toLowerCase()))
    .map(([value, title]) => ({ value, title }));
