/** One panel of the device page: its frame, its states (loading, empty, failed) and its chart. */

import { serverNow } from "../api.js";
import { element, icon } from "../elements.js";
import { channelKey } from "./channels.js";
import { Heatmap } from "../charts/heatmap.js";
import { HeatLegend, Legend } from "../charts/legend.js";
import { LineChart } from "../charts/line_chart.js";
import { buildLines, ceilingOf } from "./series.js";

const HEIGHT = 190;
const TALL_HEIGHT = 380;
const TALLEST = 640;
const ROW_PIXELS = 8;
const AHEAD_SECONDS = 5;

export class Panel {
  times = [];
  lines = [];
  left = 0;
  ceiling = null;
  isVisible = false;
  isStale = true;
  #chart = null;
  #legend = null;
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
      "article", { class: `panel is-loading${definition.wide ? " is-wide" : ""}`, id: `panel-${definition.id}`, "aria-label": definition.title },
      element("header", { class: "panel-head" }, element("h3", {}, definition.title), expand),
      this.body, this.footer,
    );
    expand.addEventListener("click", () => this.#enlarge(expand));
    new ResizeObserver(() => this.#resize()).observe(this.body);
  }

  #enlarge(button) {
    const large = this.root.classList.toggle("is-large");
    button.setAttribute("aria-pressed", String(large));
    button.replaceChildren(icon(large ? "arrows-minimize" : "arrows-maximize"));
    this.#resize();
  }

  #size() {
    const base = this.root.classList.contains("is-large") ? TALL_HEIGHT : HEIGHT;
    const rows = this.definition.heatmap ? this.lines.length * ROW_PIXELS : 0;
    return { width: Math.max(200, this.body.clientWidth), height: Math.max(base, Math.min(rows, TALLEST)) };
  }

  #resize() {
    this.#chart?.resize(this.#size());
  }

  startLoading() {
    this.root.classList.add("is-loading");
  }

  /** Takes the series of an answer; the chart is made anew only when its lines changed. */
  setSeries(answers) {
    this.root.classList.remove("is-loading");
    this.isStale = false;
    const hidden = new Set(this.lines.filter((line) => line.hidden).map((line) => line.name));
    const before = this.lines.map((line) => line.name).join("\n");
    Object.assign(this, buildLines(this.definition, answers));
    this.ceiling = this.definition.ceiling ? ceilingOf(this.definition, answers) : null;
    for (const line of this.lines) {
      line.key = channelKey(line.metric, line.labels);
      line.hidden = hidden.has(line.name);
    }
    this.#newest = this.#lastTime();
    if (!this.#newest) {
      this.showMessage("clock", "No data in this time range");
      return;
    }
    this.#clearMessage();
    if (this.#chart && before === this.lines.map((line) => line.name).join("\n")) {
      this.#rebindLegend();
      this.#chart.update();
    } else this.#makeChart();
    this.showValuesAt(null);
  }

  #lastTime() {
    const last = Math.max(-1, ...this.lines.map(({ values }) => values.findLastIndex((value) => value !== null)));
    return last < 0 ? 0 : this.times[last];
  }

  #makeChart() {
    this.#chart?.destroy();
    this.#rebindLegend();
    const Chart = this.definition.heatmap ? Heatmap : LineChart;
    this.#chart = new Chart(this, this.body, this.#size());
  }

  #rebindLegend() {
    this.#legend = this.definition.heatmap ? new HeatLegend(this.footer) : new Legend(this.footer, this);
  }

  /** A live frame: `valueOf(line)` is the line's reading or null. Points before `from` slide out. */
  append(time, valueOf, from) {
    if (!this.#chart || this.isStale) return;
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
    this.#chart.update();
    this.showValuesAt(null);
  }

  /** Show the values of one point in the legend; null means the newest. */
  showValuesAt(index) {
    if (!this.#legend) return;
    let place = index;
    if (place === null || place === undefined) {
      place = this.times.findLastIndex((_, one) => this.lines.some(({ values }) => values[one] !== null));
    } else {
      while (place > 0 && index - place < 8 && this.lines.every(({ values }) => values[place] === null)) place -= 1;
    }
    this.#legend.show(place, this.definition.unit, this.lines);
  }

  toggleLine(line, alone) {
    if (alone) {
      const others = this.lines.filter((one) => one !== line);
      const isAlone = !line.hidden && others.every((one) => one.hidden);
      for (const one of others) one.hidden = !isAlone;
      line.hidden = false;
    } else line.hidden = !line.hidden;
    this.#chart.update();
    this.showValuesAt(null);
  }

  redraw() {
    this.#chart?.redraw();
  }

  slide() {
    if (this.#chart && this.isVisible) this.#chart.update();
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
