/** Charts of alerts: a metric with the threshold and the times that an alert fired, or would have fired. */

import { getJson } from "./api.js";
import { LineChart } from "./charts/line_chart.js";
import { element, icon } from "./elements.js";

const RANGE_URL = "/api/v1/telemetry/range";
const PROMQL_URL = "/prometheus/api/v1/query_range";
const POINTS = 300;
const SHORTEST_STEP = 15;
const HEADROOM = 1.1;
// The device's name says the same.
const LABELS_OF_DEVICE = ["device_id", "device_type", "department"];

/** One chart: its element says what it shows. */
class AlertChart {
  #root;
  #labels;

  constructor(root) {
    this.#root = root;
    this.#labels = JSON.parse(root.dataset.labels);
  }

  #numberOf(name) {
    const text = this.#root.dataset[name];
    return text ? Number(text) : null;
  }

  /** The alert is about one series where its labels tell it from the others. */
  #isMeant(series) {
    return Object.entries(series.labels).every(([name, value]) => this.#labels[name] === undefined || this.#labels[name] === value);
  }

  #say(name, text) {
    this.#root.classList.remove("is-loading");
    this.#root.querySelector(".panel-chart").replaceChildren(element("div", { class: "panel-message" }, icon(name), element("p", {}, text)));
  }

  async #seriesOfMetric(from, to) {
    const { device, metric, agg } = this.#root.dataset;
    const parameters = [["device", device], ["metric", metric], ["agg", agg], ["from", from], ["to", to], ["points", POINTS]];
    return (await getJson(RANGE_URL, parameters)).series;
  }

  #thresholds() {
    const found = [[this.#numberOf("threshold"), "critical"], [this.#numberOf("recovery"), "good"]];
    return found.filter(([value]) => value !== null).map(([value, level]) => ({ value, level }));
  }

  async #draw() {
    const { query, agg, spans } = this.#root.dataset;
    const [from, to] = [this.#numberOf("from"), this.#numberOf("to")];
    const series = query ? await seriesOfQuery(query, from, to) : await this.#seriesOfMetric(from, to);
    const answer = answerOf(series.filter((one) => this.#isMeant(one)), agg);
    if (!answer.lines.some(({ values }) => values.some((value) => value !== null))) {
      this.#say("clock", "No data at this time");
      return;
    }
    this.#root.classList.remove("is-loading");
    const marks = JSON.parse(spans).map(([start, end]) => ({ from: start, to: end ?? to, title: "Firing", tone: "critical" }));
    const [host, legend] = [".panel-chart", ".panel-legend"].map((name) => this.#root.querySelector(name));
    const thresholds = this.#thresholds();
    // The threshold is in sight, however far above the values it lies.
    const maximums = [Math.max(...thresholds.map(({ value }) => value)) * HEADROOM];
    new LineChart(host, legend, { marks: () => marks }).show(answer, [from, to], { kind: "line", thresholds, maximums });
  }

  draw() {
    this.#draw().catch((error) => this.#say("alert-triangle", error.message));
  }
}

/** The series of an expression at each step of the range: nothing where it gives nothing. */
async function seriesOfQuery(query, from, to) {
  const step = Math.max(SHORTEST_STEP, Math.ceil((to - from) / POINTS));
  // The newest value is always among them.
  const start = to - Math.floor((to - from) / step) * step;
  const { data } = await getJson(PROMQL_URL, [["query", query], ["start", start], ["end", to], ["step", step]]);
  const times = Array.from({ length: Math.floor((to - start) / step) + 1 }, (_, index) => start + index * step);
  return data.result.map(({ metric: { __name__: metric = "Value", ...labels }, values }) => {
    const found = new Map(values.map(([time, text]) => [time, Number(text)]));
    const points = times.map((time) => [time, Number.isFinite(found.get(time)) ? found.get(time) : null]);
    return { metric, labels, unit: "", points };
  });
}

function lineOf({ metric, labels, unit, points }, agg) {
  const words = Object.entries(labels).filter(([name]) => !LABELS_OF_DEVICE.includes(name)).map(([, text]) => text).join(" · ");
  return { key: JSON.stringify(labels), name: words || metric, unit: agg === "rate" ? `${unit}/s` : unit, values: new Map(points) };
}

function answerOf(series, agg) {
  const lines = series.map((one) => lineOf(one, agg));
  const times = [...new Set(lines.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  return { times, lines: lines.map((line) => ({ ...line, values: times.map((time) => line.values.get(time) ?? null) })), left: 0 };
}

const drawn = new WeakSet();

function drawAll() {
  for (const root of document.querySelectorAll("[data-alert-chart]")) {
    if (drawn.has(root)) continue;
    drawn.add(root);
    new AlertChart(root).draw();
  }
}

// A preview comes into the page later, and again.
document.addEventListener("htmx:after:swap", drawAll);
drawAll();
