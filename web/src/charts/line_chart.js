/** A chart of lines, areas or stacked areas. */

import uPlot from "uplot";

import { timeAxis, valueAxis, zonedDate } from "./axes.js";
import { crosshair, sharedCursor } from "./crosshair.js";
import { seriesColour, withAlpha } from "./palette.js";
import { bridge, stack } from "./columns.js";

const HEADROOM = 1.08;
const MANY_LINES = 3;

function areaFill(index, strength) {
  return (chart) => {
    const { top, height } = chart.bbox;
    const fill = chart.ctx.createLinearGradient(0, top, 0, top + height);
    fill.addColorStop(0, withAlpha(seriesColour(index), strength));
    fill.addColorStop(1, withAlpha(seriesColour(index), strength * 0.25));
    return fill;
  };
}

function seriesOptions(panel) {
  const { stacked } = panel.definition;
  const filled = stacked || panel.lines.length < MANY_LINES;
  return panel.lines.map((line, index) => ({
    label: line.name,
    show: !line.hidden,
    stroke: () => seriesColour(index),
    width: stacked ? 1 : 1.5,
    fill: filled ? (stacked ? () => withAlpha(seriesColour(index), 0.55) : areaFill(index, line.mirror ? 0.12 : 0.28)) : undefined,
    fillTo: 0,
    points: { show: false },
    spanGaps: false,
  }));
}

function valueRange(panel) {
  const { max, scales } = panel.definition;
  return (_chart, low, high) => {
    if (max) return [0, max];
    if (scales) return [0, scales.find((one) => one >= (high ?? 0) * HEADROOM) ?? Math.max(high, scales.at(-1))];
    if (panel.ceiling) return [0, panel.ceiling];
    const top = Math.max(high ?? 0, 0);
    const bottom = Math.min(low ?? 0, 0);
    if (top === 0 && bottom === 0) return [0, 1];
    return [bottom * HEADROOM, top * HEADROOM];
  };
}

/** The columns as drawn: gaps bridged, mirrored below zero, summed up. */
function drawnData(panel) {
  const columns = panel.lines.map((line) => {
    const shown = line.hidden ? line.values.map((value) => (value === null ? null : 0)) : line.values;
    const bridged = bridge(panel.times, shown);
    return line.mirror ? bridged.map((value) => (value ? -value : value)) : bridged;
  });
  return [panel.times, ...(panel.definition.stacked ? stack(columns) : columns)];
}

export class LineChart {
  #panel;
  #chart;

  constructor(panel, host, size) {
    this.#panel = panel;
    const series = seriesOptions(panel);
    const bands = panel.definition.stacked
      ? series.slice(1).map((_, index) => ({ series: [index + 2, index + 1] }))
      : [];
    this.#chart = new uPlot(
      {
        ...size,
        tzDate: zonedDate,
        padding: [10, 12, 0, 0],
        legend: { show: false },
        cursor: { ...sharedCursor(), points: { size: 7, width: 1.5, fill: (chart, index) => chart.series[index].stroke(), stroke: "#fff" } },
        scales: { x: { time: true, range: () => panel.view() }, y: { range: valueRange(panel) } },
        axes: [timeAxis(), valueAxis(panel.definition.unit)],
        series: [{}, ...series],
        bands,
        plugins: [crosshair((index) => panel.showValuesAt(index))],
      },
      drawnData(panel),
      host,
    );
  }

  update() {
    this.#panel.lines.forEach((line, index) => {
      if (this.#chart.series[index + 1].show === Boolean(line.hidden)) this.#chart.setSeries(index + 1, { show: !line.hidden });
    });
    this.#chart.setData(drawnData(this.#panel));
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
