/** Fetches the series of all panels that wait for them in one call per kind of reading, not one per series. */

import { getJson } from "../api.js";
import { neededMetrics } from "./series.js";

const RANGE_URL = "/api/v1/telemetry/range";
const DESKTOP_POINTS = 600;
const PHONE_POINTS = 300;

export class Loader {
  #device;
  #waiting = new Set();
  #scheduled = false;
  #calls = new Set();

  constructor(device) {
    this.#device = device;
  }

  request(panel, bounds) {
    this.#waiting.add(panel);
    panel.startLoading();
    if (this.#scheduled) return;
    this.#scheduled = true;
    // The next microtask sees all panels that became visible in this one.
    queueMicrotask(() => {
      this.#scheduled = false;
      const panels = [...this.#waiting];
      this.#waiting.clear();
      this.#fetch(panels, bounds());
    });
  }

  /** Forget answers that are on their way: the range they were asked for is gone. */
  abort() {
    for (const call of this.#calls) call.abort();
    this.#calls.clear();
  }

  #ask(metrics, agg, [from, to], signal) {
    if (!metrics.size) return { series: [] };
    const points = window.innerWidth < 600 ? PHONE_POINTS : DESKTOP_POINTS;
    return getJson(
      RANGE_URL,
      [
        ["device", this.#device], ["from", from.toFixed(3)], ["to", to.toFixed(3)], ["points", points], ["agg", agg],
        ...[...metrics].map((name) => ["metric", name]),
      ],
      signal,
    );
  }

  async #fetch(panels, bounds) {
    const gauges = new Set();
    const counters = new Set();
    for (const { metric, rate } of panels.flatMap((panel) => neededMetrics(panel.definition))) (rate ? counters : gauges).add(metric);
    const call = new AbortController();
    this.#calls.add(call);
    try {
      const answers = await Promise.all([
        this.#ask(gauges, "avg", bounds, call.signal),
        this.#ask(counters, "rate", bounds, call.signal),
      ]);
      const series = answers.flatMap((answer) => answer.series);
      for (const panel of panels) panel.setSeries(series);
    } catch (error) {
      if (error.name === "AbortError") return;
      const again = () => panels.forEach((panel) => this.request(panel, () => bounds));
      for (const panel of panels) panel.showMessage("alert-triangle", error.message, again);
    } finally {
      this.#calls.delete(call);
    }
  }
}
