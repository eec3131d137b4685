/** The graph: lines by unit, those compared with dashed; dragging zooms, the legend hides. */

import uPlot from "uplot";

import { timeAxis, valueAxis, zonedDate } from "../charts/axes.js";
import { levelColour, seriesColour, seriesVariable, withAlpha } from "../charts/palette.js";
import { bridge, stack } from "../charts/columns.js";
import { timeRange } from "../time/time_range.js";
import { element } from "../elements.js";
import { formatClock, formatDayAndClock, formatValue } from "../format.js";

export const MOST_LINES = 120;
const CLICK_PIXELS = 4;
const FEW_POINTS = 30;
const HEADROOM = 1.08;
const DAY = 86_400;
const DASH = [6, 4];

const PLAIN = { area: false, stacked: false, minimum: null, maximum: null, thresholds: [] };

function valueRange(_chart, low, high) {
  const [bottom, top] = [Math.min(low ?? 0, 0), Math.max(high ?? 0, 0)];
  return bottom === 0 && top === 0 ? [0, 1] : [bottom * HEADROOM, top * HEADROOM];
}

/** The range of values, with ends that the look may fix. */
function rangeOf({ minimum, maximum }) {
  return (chart, low, high) => {
    const [bottom, top] = valueRange(chart, low, high);
    const [first, last] = [minimum ?? bottom, maximum ?? top];
    return first < last ? [first, last] : [first, first + 1];
  };
}

/** Lines across the chart where a level begins. */
function levels(thresholds, scale) {
  return {
    hooks: {
      draw: (chart) => {
        const { ctx, bbox } = chart;
        ctx.save();
        ctx.setLineDash([4, 4]);
        for (const { value, level } of thresholds) {
          const y = chart.valToPos(value, scale, true);
          if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue;
          ctx.strokeStyle = levelColour(level);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
        }
        ctx.restore();
      },
    },
  };
}

function pointer(onCursor) {
  const label = element("div", { class: "cursor-time", hidden: true });
  return {
    hooks: {
      ready: (chart) => {
        chart.over.append(label);
        chart.over.addEventListener("dblclick", () => timeRange.zoomOut());
        chart.over.addEventListener("touchmove", (event) => {
          const box = chart.over.getBoundingClientRect();
          chart.setCursor({ left: event.touches[0].clientX - box.left, top: event.touches[0].clientY - box.top });
        }, { passive: true });
      },
      setCursor: (chart) => {
        const { left, idx } = chart.cursor;
        label.hidden = !(left >= 0);
        onCursor(label.hidden ? null : idx);
        if (label.hidden || idx === null || idx === undefined) return;
        const date = new Date(chart.data[0][idx] * 1000);
        label.textContent = timeRange.seconds > DAY ? formatDayAndClock(date) : formatClock(date);
        label.style.left = `${Math.min(Math.max(left, 36), chart.over.clientWidth - 36)}px`;
      },
      setSelect: (chart) => {
        const { left, width } = chart.select;
        if (width <= CLICK_PIXELS) return;
        const [from, to] = [left, left + width].map((place) => chart.posToVal(place, "x"));
        chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        timeRange.setAbsolute(from, to);
      },
    },
  };
}

export class ExploreChart {
  #host;
  #legend;
  #chart = null;
  #lines = [];
  #items = [];
  #hidden = new Set();
  #height;

  /** `height()` is that of the drawing, where it is not the page's only one. */
  constructor(host, legend, height = () => (window.innerWidth < 800 ? 260 : 380)) {
    this.#height = height;
    this.#host = host;
    this.#legend = legend;
    new ResizeObserver(() => this.#chart?.setSize(this.#size())).observe(host);
    document.addEventListener("themechange", () => this.#chart?.redraw());
  }

  #size() {
    return { width: Math.max(200, this.#host.clientWidth), height: this.#height() };
  }

  /** Draws the first lines of an answer, from `from` to `to`; `look` says how, where lines are not enough. */
  show(answer, [from, to], look = PLAIN) {
    this.#lines = answer.lines.slice(0, MOST_LINES);
    const colours = new Map();
    for (const line of this.#lines) {
      if (!colours.has(line.key)) colours.set(line.key, colours.size);
      line.colour = colours.get(line.key);
    }
    const units = [...new Set(this.#lines.map(({ unit }) => unit))];
    const fewPoints = answer.times.length <= FEW_POINTS;
    const drawn = this.#lines.map((line) => bridge(answer.times, line.values));
    this.#chart?.destroy();
    this.#chart = new uPlot(
      {
        ...this.#size(),
        tzDate: zonedDate,
        padding: [12, units.length > 1 ? 0 : 14, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7, width: 1.5, fill: (chart, index) => chart.series[index].stroke(), stroke: "#fff" } },
        scales: {
          x: { time: true, range: () => [Math.min(from, answer.times[0] ?? from), to] },
          ...Object.fromEntries(units.map((unit) => [`y:${unit}`, { range: rangeOf(look) }])),
        },
        axes: [
          timeAxis(),
          ...units.map((unit, place) => ({ ...valueAxis(unit), scale: `y:${unit}`, side: place === 0 ? 3 : 1, ...(place ? { grid: { show: false } } : {}) })),
        ],
        series: [
          {},
          ...this.#lines.map((line) => ({
            label: line.name,
            scale: `y:${line.unit}`,
            show: !this.#hidden.has(line.name),
            stroke: () => seriesColour(line.colour),
            width: 1.5,
            fill: look.area ? () => withAlpha(seriesColour(line.colour), look.stacked ? 0.5 : 0.16) : undefined,
            fillTo: 0,
            dash: line.compared ? DASH : undefined,
            points: { show: fewPoints || line.values.filter((value) => value !== null).length < 3, size: 5 },
            spanGaps: false,
          })),
        ],
        bands: look.stacked ? this.#lines.slice(1).map((_, index) => ({ series: [index + 2, index + 1] })) : [],
        plugins: [pointer((index) => this.#showValuesAt(index)), levels(look.thresholds, `y:${units[0]}`)],
      },
      [answer.times, ...(look.stacked ? stack(drawn) : drawn)],
      this.#host,
    );
    this.#drawLegend(answer.lines.length - this.#lines.length);
  }

  clear() {
    this.#chart?.destroy();
    this.#chart = null;
    this.#legend.replaceChildren();
  }

  #drawLegend(left) {
    this.#items = this.#lines.map((line) => {
      const swatch = element("i", { class: line.compared ? "legend-swatch is-dashed" : "legend-swatch" });
      swatch.style.setProperty("--swatch", `var(${seriesVariable(line.colour)})`);
      const value = element("b", {});
      const button = element(
        "button", { type: "button", class: "legend-item", title: line.name, "data-line": true }, swatch, element("span", {}, line.name), value,
      );
      button.addEventListener("click", (event) => this.#toggle(line, event.shiftKey));
      return { line, value, button };
    });
    const rest = left > 0 ? [element("span", { class: "legend-rest" }, `and ${left} more: see the table`)] : [];
    this.#legend.replaceChildren(...this.#items.map(({ button }) => button), ...rest);
    this.#showValuesAt(null);
  }

  /** Hides or shows a line; with Shift all but it, or all again. */
  #toggle(line, alone) {
    const others = this.#lines.filter((other) => other !== line).map(({ name }) => name);
    if (alone) {
      const isAlone = !this.#hidden.has(line.name) && others.every((name) => this.#hidden.has(name));
      this.#hidden = new Set(isAlone ? [] : others);
    } else if (!this.#hidden.delete(line.name)) this.#hidden.add(line.name);
    this.#lines.forEach(({ name }, index) => this.#chart.setSeries(index + 1, { show: !this.#hidden.has(name) }));
    this.#showValuesAt(null);
  }

  #showValuesAt(index) {
    for (const { line, value, button } of this.#items) {
      const shown = index === null || index === undefined ? line.values.findLast((one) => one !== null) : line.values[index];
      value.textContent = formatValue(shown ?? null, line.unit);
      button.setAttribute("aria-pressed", String(!this.#hidden.has(line.name)));
    }
  }
}
