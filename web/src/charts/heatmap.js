/** Usage of each core over time: one row per core, colour for load, on a canvas with the charts' own crosshair. */

import uPlot from "uplot";

import { coreAxis, timeAxis, zonedDate } from "./axes.js";
import { crosshair, sharedCursor } from "./crosshair.js";
import { heatColour } from "./palette.js";
import { usualStep } from "./columns.js";

function drawCells(chart, panel) {
  const { times, lines } = panel;
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
  #panel;
  #chart;

  constructor(panel, host, size) {
    this.#panel = panel;
    const rows = panel.lines.length;
    this.#chart = new uPlot(
      {
        ...size,
        tzDate: zonedDate,
        padding: [10, 12, 0, 0],
        legend: { show: false },
        cursor: { ...sharedCursor(), points: { show: false } },
        scales: { x: { time: true, range: () => panel.view() }, y: { range: [0, rows] } },
        axes: [timeAxis(false), coreAxis(panel.lines.map((line) => line.label))],
        series: [{}, { paths: () => null, points: { show: false } }],
        hooks: { drawClear: [(chart) => drawCells(chart, panel)] },
        plugins: [crosshair((index) => panel.showValuesAt(index))],
      },
      this.#data(),
      host,
    );
  }

  #data() {
    return [this.#panel.times, this.#panel.times.map(() => 0)];
  }

  update() {
    this.#chart.setData(this.#data());
  }

  redraw() {
    this.#chart.redraw();
  }

  resize(size) {
    this.#chart.setSize(size);
  }

  destroy() {
    this.#chart.destroy();
  }
}
