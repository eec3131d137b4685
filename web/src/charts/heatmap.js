/** Usage of each core over time: one row per core, color for load, on a canvas with the charts' own crosshair. */

import { annotations } from "./annotations.js";
import { coreAxis, timeAxis } from "./axes.js";
import { usualStep } from "./columns.js";
import { HeatLegend } from "./legend.js";
import { drawnMarks } from "./marks.js";
import { heatColour } from "./palette.js";
import { Plot } from "./plot.js";
import { pointer } from "./pointer.js";

const ROW_PIXELS = 8;
const TALLEST = 640;

function drawCells(chart, { times, lines }) {
  if (times.length < 2) return;
  const { ctx, bbox } = chart;
  const step = Math.max(usualStep(times, lines[0].values), times[1] - times[0]);
  const rowHeight = bbox.height / lines.length;
  const gap = rowHeight > 8 * devicePixelRatio ? devicePixelRatio : 0;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const lefts = times.map((time) => Math.floor(chart.valToPos(time, "x", true)));
  const width = Math.ceil(chart.valToPos(times[0] + step, "x", true) - chart.valToPos(times[0], "x", true));
  lines.forEach(({ values }, row) => {
    const top = Math.round(bbox.top + bbox.height - (row + 1) * rowHeight);
    const height = Math.round(bbox.top + bbox.height - row * rowHeight) - top - gap;
    values.forEach((value, index) => {
      if (value === null) return;
      const next = lefts[index + 1];
      const right = next !== undefined && next - lefts[index] < width * 2.5 ? next : lefts[index] + width;
      ctx.fillStyle = heatColour(value / 100);
      ctx.fillRect(lefts[index], top, Math.max(1, right - lefts[index]), height);
    });
  });
  ctx.restore();
}

export class Heatmap {
  #host;
  #plot;
  #legend;
  #onPick;
  #ownMarks;
  #answer = { times: [], lines: [] };
  #rows = "";

  constructor(host, legendHost, { sync = null, marks = () => [], onPick = null } = {}) {
    this.#host = host;
    this.#plot = new Plot(host, sync);
    this.#legend = new HeatLegend(legendHost);
    [this.#ownMarks, this.#onPick] = [marks, onPick];
  }

  show(answer, bounds) {
    this.#answer = answer;
    const labels = answer.lines.map(({ label }) => label);
    const data = [answer.times, answer.times.map(() => 0)];
    if (this.#plot.chart && labels.join("\n") === this.#rows) this.#plot.setData(data, bounds);
    else this.#make(labels, data, bounds);
    this.#rows = labels.join("\n");
    this.#showValues(null);
  }

  #make(labels, data, bounds) {
    this.#host.style.setProperty("--rows", `${Math.min(labels.length * ROW_PIXELS, TALLEST)}px`);
    const options = {
      padding: [10, 12, 0, 0],
      cursor: { points: { show: false } },
      scales: { y: { range: [0, labels.length] } },
      axes: [timeAxis(false), coreAxis(labels)],
      series: [{}, { paths: () => null, points: { show: false } }],
      plugins: [
        { hooks: { drawClear: (chart) => drawCells(chart, this.#answer) } },
        pointer({ onMove: (index) => this.#showValues(index), onPick: this.#onPick }),
        drawnMarks({ marks: () => [...annotations.all, ...this.#ownMarks()] }),
      ],
    };
    this.#plot.make(options, data, bounds);
  }

  /** The legend's values at one point, or at the newest that has any. */
  #showValues(index) {
    const { times, lines } = this.#answer;
    this.#legend.show(lines, index ?? times.findLastIndex((_, one) => lines.some(({ values }) => values[one] !== null)));
  }

  slide(bounds) {
    this.#plot.slide(bounds);
  }

  redraw() {
    this.#plot.redraw();
  }

  clear() {
    this.#plot.clear();
  }

  destroy() {
    this.#plot.destroy();
  }
}
