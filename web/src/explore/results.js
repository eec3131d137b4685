/** The answer: graph or table, what to do where there is none, how it was answered, and the file. */

import { shownRange } from "../charts/columns.js";
import { LineChart } from "../charts/line_chart.js";
import { element } from "../elements.js";
import { formatDayAndClock } from "../format.js";
import { csvOf, download } from "./csv.js";
import { panelOf } from "./panel.js";
import { showTable } from "./summaries.js";

const SUGGESTED = ["cpu_usage_percent", "memory_usage_percent", "disk_usage_percent", "network_receive_bytes_total", "load_average_1m"];
const EXAMPLES = [
  "avg by (instance) (cpu_usage_percent)",
  "topk(5, max_over_time(memory_usage_percent[1h]))",
  "sum by (instance) (rate(network_receive_bytes_total[5m]))",
];
const SOURCES = { samples: "samples", hour: "sums by hour", day: "sums by day", week: "sums by week", month: "sums by month" };
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

function stepText(step) {
  const seconds = Number(step);
  if (Number.isNaN(seconds)) return `one ${step}`;
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

export class Results {
  #host;
  #state;
  #suggest;
  #chart;
  #answer = null;
  #bounds = null;

  /** `suggest` gets what the reader picked of the suggestions, as changes of the state. */
  constructor(host, state, suggest) {
    this.#host = host;
    this.#state = state;
    this.#suggest = suggest;
    this.#chart = new LineChart(this.#part("chart"), this.#part("legend"));
    for (const button of host.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => state.set({ view: button.dataset.view }));
    }
    this.#part("csv").addEventListener("click", () => this.#save());
  }

  #part(name) {
    return this.#host.querySelector(`[data-${name}]`);
  }

  /** While the answer is on its way the last one stays, dimmed. */
  wait() {
    this.#host.classList.add("is-loading");
    this.#host.setAttribute("aria-busy", "true");
    this.#part("status").textContent = "Loading…";
    this.#markView();
    if (!this.#answer) this.#show("empty", "Asking…", "");
  }

  #stopWaiting() {
    this.#host.classList.remove("is-loading");
    this.#host.setAttribute("aria-busy", "false");
  }

  show(answer, bounds, milliseconds) {
    this.#stopWaiting();
    [this.#answer, this.#bounds] = [answer, bounds];
    const shown = answer.lines.filter(({ compared }) => !compared).length;
    const left = answer.groups - shown;
    this.#part("status").textContent = answer.lines.length
      ? `${shown} series${left > 0 ? ` of ${answer.groups}` : ""}`
      : "";
    this.#explain(answer, milliseconds);
    this.draw();
  }

  draw() {
    this.#markView();
    const answer = this.#answer;
    if (!answer) return;
    this.#part("csv").disabled = !answer.lines.length;
    if (!answer.lines.length) {
      this.#chart.clear();
      this.#show("empty", "No values in this range", "Widen the range, remove a filter, or check whether the devices report.");
      return;
    }
    const view = this.#view();
    this.#show(view);
    if (view === "graph") this.#chart.show(answer, shownRange(answer, this.#bounds), panelOf(this.#state));
    else {
      this.#chart.clear();
      showTable(this.#part("table"), answer, this.#state.get("sort"), (sort) => this.#state.set({ sort }));
    }
  }

  /** Before anything is asked: what there is to ask for. `metrics` is null where that is not known. */
  invite(mode, metrics) {
    this.#stopWaiting();
    this.#answer = null;
    this.#chart.clear();
    this.#markView();
    this.#part("csv").disabled = true;
    this.#part("explain").hidden = true;
    this.#part("status").textContent = "";
    if (metrics && !metrics.length) {
      this.#show("empty", "No telemetry yet", "Metrics appear here once a device has reported.");
      this.#part("suggestions").replaceChildren(element("a", { class: "btn btn-primary", href: "/agents#new-token" }, "Connect a device"));
      return;
    }
    const names = (metrics ?? []).map(({ name }) => name);
    const known = SUGGESTED.filter((name) => names.includes(name));
    if (mode === "promql") {
      this.#show("empty", "Write a query", "Metric and label names complete as you type. Or start with one of these:");
      this.#offer(EXAMPLES.map((query) => [query, { query }]));
    } else {
      this.#show("empty", "Pick a metric", "Type part of its name above, or start with one of these:");
      this.#offer((known.length ? known : names.slice(0, 5)).map((name) => [name, { metric: [name] }]));
    }
  }

  fail(error) {
    this.#stopWaiting();
    this.#answer = null;
    this.#chart.clear();
    this.#part("csv").disabled = true;
    this.#part("explain").hidden = true;
    this.#part("status").textContent = "";
    this.#show("empty", "Query failed", error.status === 0 || error.status >= 500 ? `${error.message}. Try again in a moment.` : "See the error above.");
  }

  #offer(suggestions) {
    this.#part("suggestions").replaceChildren(...suggestions.map(([title, change]) => {
      const button = element("button", { type: "button", class: "btn btn-sm suggestion" }, title);
      button.addEventListener("click", () => this.#suggest(change));
      return button;
    }));
  }

  /** One moment is no graph. */
  #view() {
    return this.#answer?.isInstant ? "table" : this.#state.get("view");
  }

  #markView() {
    const isInstant = this.#state.get("mode") === "promql" && this.#state.get("kind") === "instant";
    const view = isInstant ? "table" : this.#state.get("view");
    for (const button of this.#host.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === view));
      button.disabled = isInstant && button.dataset.view === "graph";
    }
  }

  #show(part, title = "", text = "") {
    for (const name of ["empty", "graph", "table"]) this.#part(name).hidden = name !== part;
    this.#part("empty-title").textContent = title;
    this.#part("empty-text").textContent = text;
    this.#part("suggestions").replaceChildren();
  }

  #explain(answer, milliseconds) {
    const steps = answer.isInstant ? "one moment" : `${count(answer.times.length, "step")} of ${stepText(answer.step)}`;
    this.#part("explain-line").textContent = `${answer.groups} series, ${steps}, answered in ${Math.round(milliseconds)} ms`;
    const when = (time) => formatDayAndClock(new Date(time * 1000));
    const rows = answer.plan.map(({ source, from, to, devices }) => element(
      "tr", {}, element("td", {}, SOURCES[source] ?? source), element("td", {}, `${when(from)} – ${when(to)}`),
      element("td", { class: "is-number" }, String(devices)),
    ));
    const heads = [["Read from", ""], ["Range", ""], ["Devices", "is-number"]].map(([title, css]) => element("th", { scope: "col", class: css }, title));
    const table = element("table", { class: "fk-table is-dense" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
    const note = element("p", { class: "is-soft" }, "PromQL reads the samples themselves, and what is archived.");
    this.#part("explain-body").replaceChildren(rows.length ? table : note);
    this.#part("explain").hidden = false;
  }

  #save() {
    const stamp = new Date(this.#bounds[1] * 1000).toISOString().slice(0, 16).replace(/[:T]/g, "-");
    download(csvOf(this.#answer, this.#view()), `explore-${stamp}.csv`);
  }
}
