/** One panel of the device page: its frame, its states (loading, empty, failed) and its chart. */

import { serverNow } from "../api.js";
import { Heatmap } from "../charts/heatmap.js";
import { LineChart } from "../charts/line_chart.js";
import { element, icon } from "../elements.js";
import { channelKey } from "./channels.js";
import { moment } from "./moment.js";
import { buildLines, ceilingOf } from "./series.js";

const AHEAD_SECONDS = 5;
const CHART_OPTIONS = {
  sync: "device",
  marks: () => (moment.at === null ? [] : [{ from: moment.at }]),
  onPick: (time) => moment.set(time),
};

export class Panel {
  times = [];
  lines = [];
  left = 0;
  ceiling = null;
  isVisible = false;
  isStale = true;
  #chart;
  #message = null;
  #newest = 0;

  constructor(definition, { view }) {
    this.definition = definition;
    this.view = view;
    this.body = element("div", { class: "panel-chart" });
    this.footer = element("div", { class: "panel-legend" });
    const expand = element(
      "button", { type: "button", class: "icon-button panel-expand", "aria-label": `Enlarge ${definition.title}`, "aria-pressed": "false" },
      icon("arrows-maximize"),
    );
    this.root = element(
      "article", { class: `panel is-loading${definition.width === 12 ? " is-wide" : ""}`, id: `panel-${definition.id}`, "aria-label": definition.title },
      element("header", { class: "panel-head" }, element("h3", {}, definition.title), expand),
      this.body, this.footer,
    );
    expand.addEventListener("click", () => this.#enlarge(expand));
    const Chart = definition.kind === "heatmap" ? Heatmap : LineChart;
    this.#chart = new Chart(this.body, this.footer, CHART_OPTIONS);
  }

  #enlarge(button) {
    const large = this.root.classList.toggle("is-large");
    button.setAttribute("aria-pressed", String(large));
    button.replaceChildren(icon(large ? "arrows-minimize" : "arrows-maximize"));
  }

  startLoading() {
    this.root.classList.add("is-loading");
  }

  /** Takes the series of an answer. */
  setSeries(answers) {
    this.root.classList.remove("is-loading");
    this.isStale = false;
    Object.assign(this, buildLines(this.definition, answers));
    this.ceiling = this.definition.ceiling ? ceilingOf(this.definition, answers) : null;
    for (const line of this.lines) line.key = channelKey(line.metric, line.labels);
    this.#newest = this.#lastTime();
    if (!this.#newest) {
      this.showMessage("clock", "No data in this time range");
      return;
    }
    this.#clearMessage();
    this.#draw();
  }

  #draw() {
    const { definition, ceiling } = this;
    this.#chart.show(this, this.view(), ceiling ? { ...definition, maximum: ceiling } : definition);
  }

  #lastTime() {
    const last = Math.max(-1, ...this.lines.map(({ values }) => values.findLastIndex((value) => value !== null)));
    return last < 0 ? 0 : this.times[last];
  }

  /** A live frame: `valueOf(line)` is the line's reading or null. Points before `from` slide out. */
  append(time, valueOf, from) {
    if (this.isStale || !this.#newest) return;
    // A point ahead of the clock makes room for the next that is not.
    if (time <= this.#newest && this.#newest <= serverNow() + AHEAD_SECONDS) return;
    const values = this.lines.map((line) => valueOf(line));
    if (values.every((value) => value === null)) return;
    this.#newest = time;
    let keep = this.times.findIndex((one) => one >= from);
    keep = keep === -1 ? this.times.length : Math.max(0, keep - 1);
    const end = this.times.findLastIndex((one) => one < time) + 1;
    this.times = [...this.times.slice(keep, end), time];
    this.lines.forEach((line, index) => {
      const value = values[index] === null ? null : values[index] * line.factor;
      line.values = [...line.values.slice(keep, end), value];
    });
    this.#draw();
  }

  redraw() {
    this.#chart.redraw();
  }

  slide() {
    if (this.isVisible) this.#chart.slide(this.view());
  }

  #clearMessage() {
    this.#message?.remove();
    this.#message = null;
    this.root.classList.remove("has-message");
  }

  /** Says in the panel's place why there is no chart. `retry` adds a button. */
  showMessage(sign, text, retry = null) {
    this.#clearMessage();
    this.root.classList.remove("is-loading");
    this.root.classList.add("has-message");
    this.#message = element("div", { class: "panel-message", role: "status" }, icon(sign), element("p", {}, text));
    if (retry) {
      const button = element("button", { type: "button", class: "btn btn-sm" }, "Try again");
      button.addEventListener("click", retry);
      this.#message.append(button);
    }
    this.body.append(this.#message);
  }
}
