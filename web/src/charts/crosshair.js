/** What every chart does under the pointer: shared crosshair, drag to zoom, click to pick a moment. */

import uPlot from "uplot";

import { element } from "../elements.js";
import { formatClock, formatDayAndClock } from "../format.js";
import { moment } from "../device/moment.js";
import { markColour } from "./palette.js";
import { timeRange } from "../time/time_range.js";

const CLICK_PIXELS = 4;
const SHARED = new Set(["mousemove", "mouseleave"]);

uPlot.sync("device");

export function sharedCursor() {
  return {
    y: false,
    drag: { x: true, y: false, setScale: false },
    sync: { key: "device", scales: ["x", null], filters: { pub: (type) => SHARED.has(type) } },
  };
}

function showTimeAtCursor(chart, label) {
  const { left } = chart.cursor;
  label.hidden = !(left >= 0);
  if (label.hidden) return;
  const date = new Date(chart.posToVal(left, "x") * 1000);
  label.textContent = timeRange.seconds > 86_400 ? formatDayAndClock(date) : formatClock(date);
  label.style.left = `${Math.min(Math.max(left, 32), chart.over.clientWidth - 32)}px`;
}

function drawMoment(chart) {
  if (moment.at === null) return;
  const x = Math.round(chart.valToPos(moment.at, "x", true));
  const { left, top, width, height } = chart.bbox;
  if (x < left || x > left + width) return;
  const { ctx } = chart;
  ctx.save();
  ctx.strokeStyle = markColour();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.stroke();
  ctx.restore();
}

function listenToPointer(chart) {
  const { over } = chart;
  let downAt = null;
  over.addEventListener("mousedown", (event) => {
    downAt = event.clientX;
  });
  over.addEventListener("click", (event) => {
    const still = downAt === null || Math.abs(event.clientX - downAt) < CLICK_PIXELS;
    downAt = null;
    if (still) moment.set(chart.posToVal(event.clientX - over.getBoundingClientRect().left, "x"));
  });
  over.addEventListener("dblclick", () => timeRange.zoomOut());
  over.addEventListener(
    "touchmove",
    (event) => {
      const box = over.getBoundingClientRect();
      chart.setCursor({ left: event.touches[0].clientX - box.left, top: event.touches[0].clientY - box.top });
    },
    { passive: true },
  );
}

/** The uPlot plugin; `onCursor(index)` gets the point under the crosshair, or null. */
export function crosshair(onCursor) {
  const label = element("div", { class: "cursor-time", hidden: true });
  return {
    hooks: {
      ready: (chart) => {
        chart.over.append(label);
        listenToPointer(chart);
      },
      setCursor: (chart) => {
        showTimeAtCursor(chart, label);
        onCursor(chart.cursor.left >= 0 ? chart.cursor.idx : null);
      },
      setSelect: (chart) => {
        const { left, width } = chart.select;
        if (width <= CLICK_PIXELS) return;
        const [from, to] = [left, left + width].map((place) => chart.posToVal(place, "x"));
        chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        timeRange.setAbsolute(from, to);
      },
      draw: drawMoment,
    },
  };
}
