/** The chart of lines, areas and stacked areas, with its legend and its tooltip: the one of device pages, Explore and dashboards.
 *
 * It draws the lines of an answer as its panel says; `panel.js` describes both. The chart is made anew only when the lines are others.
 */

import { timeAxis, valueAxis } from "./axes.js";
import { annotations } from "./annotations.js";
import { bridge, longestPause, stack } from "./columns.js";
import { Legend } from "./legend.js";
import { drawnMarks, marksAt } from "./marks.js";
import { Plot } from "./plot.js";
import { pointer } from "./pointer.js";
import { hideTooltip, showTooltip } from "./tooltip.js";
import { lineOptions, pointOptions, valueRange } from "./line_options.js";

export const MOST_LINES = 120;

const scaleOf = (unit) => `y:${unit}`;

export class LineChart {
  #plot;
  #legend;
  #onPick;
  #ownMarks;
  #panel = {};
  #times = [];
  #lines = [];
  #bridged = [];
  #drawn = [];
  #bounds = [0, 1];
  #hidden = new Set();
  #structure = "";
  #near = null;

  /** Charts of one `sync` share the crosshair; `marks()` are the chart's own beside those of the page; a click without a drag is `onPick(time)`. */
  constructor(host, legendHost, { sync = null, marks = () => [], onPick = null } = {}) {
    this.#plot = new Plot(host, sync);
    this.#ownMarks = marks;
    this.#onPick = onPick;
    this.#legend = new Legend(legendHost, {
      onToggle: (index, alone) => this.#toggle(this.#lines[index].name, alone),
      onPoint: (index) => this.#markNear(index),
    });
  }

  /** Draws the answer's first lines in the range `bounds`. */
  show(answer, bounds, panel) {
    [this.#panel, this.#bounds, this.#times] = [panel, bounds, answer.times];
    this.#lines = coloured(answer.lines.slice(0, MOST_LINES));
    this.#shape();
    const left = answer.lines.length - this.#lines.length + (answer.left ?? 0);
    const structure = JSON.stringify([panel.kind, panel.stacked, left, this.#lines.map(({ name, unit, compared, mirror }) => [name, unit, compared, mirror])]);
    if (this.#plot.chart && structure === this.#structure) this.#plot.setData(this.#data, bounds);
    else this.#make(left);
    this.#structure = structure;
    this.#showValues(null);
  }

  slide(bounds) {
    this.#bounds = bounds;
    this.#plot.slide(bounds);
  }

  redraw() {
    this.#plot.redraw();
  }

  clear() {
    hideTooltip(this.#plot.chart);
    this.#plot.clear();
    this.#lines = [];
    this.#legend.set([], 0);
  }

  destroy() {
    this.clear();
    this.#plot.destroy();
  }

  get #data() {
    return [this.#times, ...this.#drawn];
  }

  get #marks() {
    return [...annotations.all, ...this.#ownMarks()];
  }

  /** The columns as drawn: gaps bridged, mirrored below zero, summed up; a hidden line adds nothing. */
  #shape() {
    this.#bridged = this.#lines.map(({ values }) => bridge(this.#times, values));
    const columns = this.#lines.map(({ name, mirror }, index) => {
      const column = this.#bridged[index];
      if (this.#panel.stacked && this.#hidden.has(name)) return column.map((value) => value && 0);
      return mirror ? column.map((value) => (value ? -value : value)) : column;
    });
    this.#drawn = this.#panel.stacked ? stack(columns) : columns;
  }

  #make(left) {
    hideTooltip(this.#plot.chart);
    this.#near = null;
    const units = [...new Set(this.#lines.map(({ unit }) => unit))];
    const options = {
      padding: [12, units.length > 1 ? 0 : 14, 0, 0],
      focus: { alpha: 0.4 },
      cursor: { points: pointOptions },
      scales: Object.fromEntries(units.map((unit) => [scaleOf(unit), { range: valueRange(() => this.#panel) }])),
      axes: [
        timeAxis(),
        ...units.map((unit, place) => ({ ...valueAxis(unit), scale: scaleOf(unit), side: place === 0 ? 3 : 1, ...(place ? { grid: { show: false } } : {}) })),
      ],
      series: [
        {},
        ...this.#lines.map((line, index) => ({
          ...lineOptions(line, this.#panel, () => this.#lines[index]?.values ?? []), scale: scaleOf(line.unit), show: !this.#hidden.has(line.name),
        })),
      ],
      bands: this.#panel.stacked ? this.#lines.slice(1).map((_, index) => ({ series: [index + 2, index + 1] })) : [],
      plugins: [
        pointer({ onMove: (index, isHere) => this.#onMove(index, isHere), onPick: this.#onPick }),
        drawnMarks({ marks: () => this.#marks, thresholds: () => this.#panel.thresholds ?? [], scale: () => scaleOf(units[0]) }),
      ],
    };
    // The legend comes first: it takes its room from the chart.
    this.#legend.set(this.#lines, left);
    this.#plot.make(options, this.#data, this.#bounds);
  }

  /** Hides or shows a line; with Shift all but it, or all again. */
  #toggle(name, alone) {
    const others = this.#lines.filter((line) => line.name !== name).map((line) => line.name);
    if (alone) {
      const isAlone = !this.#hidden.has(name) && others.every((other) => this.#hidden.has(other));
      this.#hidden = new Set(isAlone ? [] : others);
    } else if (!this.#hidden.delete(name)) this.#hidden.add(name);
    this.#lines.forEach((line, index) => this.#plot.chart.setSeries(index + 1, { show: !this.#hidden.has(line.name) }));
    if (this.#panel.stacked) {
      this.#shape();
      this.#plot.setData(this.#data, this.#bounds);
    }
    this.#showValues(null);
  }

  #onMove(index, isHere) {
    if (!this.#plot.chart) return;
    this.#showValues(index);
    if (isHere && index !== null && index !== undefined) this.#explain(index);
    else {
      this.#markNear(null);
      hideTooltip(this.#plot.chart);
    }
  }

  #explain(place) {
    const { chart } = this.#plot;
    this.#markNear(this.#nearest(place));
    const rows = this.#lines.flatMap((line, index) => (
      this.#hidden.has(line.name) ? [] : [{ line, value: this.#valueAt(index, place), isNear: index === this.#near }]
    ));
    showTooltip(chart, rows, marksAt(chart, this.#marks, chart.cursor.left));
  }

  /** The line that is drawn nearest to the pointer. */
  #nearest(place) {
    const { chart } = this.#plot;
    let [best, least] = [null, Infinity];
    this.#lines.forEach((line, index) => {
      const value = this.#hidden.has(line.name) ? null : knownAt(this.#drawn[index], place);
      if (value === null) return;
      const distance = Math.abs(chart.valToPos(value, scaleOf(line.unit)) - chart.cursor.top);
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }

  #markNear(near) {
    if (near === this.#near || !this.#plot.chart) return;
    this.#near = near;
    this.#legend.mark(near);
    this.#plot.chart.setSeries(near === null ? null : near + 1, { focus: true });
  }

  /** A line's value at a point: null where it has ended or was silent. */
  #valueAt(index, place) {
    return knownAt(this.#bridged[index], place) === null ? null : knownAt(this.#lines[index].values, place, true);
  }

  /** A line's newest value; null when it has been silent since for longer than it usually is. */
  #newestOf({ values }, end) {
    const last = values.findLastIndex((value) => value !== null);
    if (last < 0) return null;
    return last === end || this.#times[end] - this.#times[last] <= longestPause(this.#times, values) ? values[last] : null;
  }

  /** The legend's values at one point; at none, the newest. */
  #showValues(place) {
    const isNone = place === null || place === undefined;
    const end = isNone ? this.#times.findLastIndex((_, one) => this.#lines.some(({ values }) => values[one] !== null)) : 0;
    const valueOf = (index) => (isNone ? this.#newestOf(this.#lines[index], end) : this.#valueAt(index, place));
    this.#legend.show(this.#lines, valueOf, this.#hidden);
  }
}

/** Lines of one key have one color: what is compared, and what it is compared with. */
function coloured(lines) {
  const colours = new Map();
  return lines.map((line) => {
    if (!colours.has(line.key)) colours.set(line.key, colours.size);
    return { ...line, colour: colours.get(line.key) };
  });
}

/** The value at a point of a column, or the one before a pause that is bridged; with `isBridged` before any. */
function knownAt(column, place, isBridged = false) {
  let at = place;
  while (at >= 0 && (column[at] === undefined || (isBridged && column[at] === null))) at -= 1;
  return column[at] ?? null;
}
