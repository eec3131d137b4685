/** A uPlot in its host: it fills the host, follows the theme, and shows one range of time. What it draws is its owner's. */

import uPlot from "uplot";

import { annotations } from "./annotations.js";
import { zonedDate } from "./axes.js";
import { cursorOptions } from "./pointer.js";

const NARROWEST = 200;
const LOWEST = 60;

export class Plot {
  #host;
  #sync;
  #chart = null;
  #data = [];
  #bounds = [0, 1];
  #watch = new ResizeObserver(() => this.#fit());
  #listening = new AbortController();

  constructor(host, sync = null) {
    this.#host = host;
    this.#sync = sync;
    this.#watch.observe(host);
    const { signal } = this.#listening;
    document.addEventListener("themechange", () => this.redraw(), { signal });
    annotations.addEventListener("change", () => this.redraw(), { signal });
  }

  get chart() {
    return this.#chart;
  }

  #size() {
    return { width: Math.max(NARROWEST, this.#host.clientWidth), height: Math.max(LOWEST, this.#host.clientHeight) };
  }

  #fit() {
    // A host that is hidden has no size; its chart keeps the one it had.
    if (!this.#chart || !this.#host.clientWidth) return;
    const { width, height } = this.#size();
    if (width !== this.#chart.width || height !== this.#chart.height) this.#chart.setSize({ width, height });
  }

  /** Makes the chart anew, for lines that are others than before. */
  make({ cursor, scales, ...options }, data, bounds) {
    this.clear();
    [this.#data, this.#bounds] = [data, bounds];
    this.#chart = new uPlot(
      {
        ...this.#size(),
        tzDate: zonedDate,
        legend: { show: false },
        cursor: { ...cursorOptions(this.#sync), ...cursor },
        scales: { x: { time: true, range: () => this.#bounds }, ...scales },
        ...options,
      },
      data,
      this.#host,
    );
  }

  /** Other values of the same lines. */
  setData(data, bounds) {
    [this.#data, this.#bounds] = [data, bounds];
    this.#chart.setData(data);
  }

  /** The same values in another range. */
  slide(bounds) {
    this.#bounds = bounds;
    this.#chart?.setData(this.#data);
  }

  redraw() {
    this.#chart?.redraw();
  }

  clear() {
    this.#chart?.destroy();
    this.#chart = null;
  }

  destroy() {
    this.clear();
    this.#watch.disconnect();
    this.#listening.abort();
  }
}
