/** What every chart does under the pointer: the crosshair with its time, drag to zoom, double click to zoom out, click to pick a moment. */

import uPlot from "uplot";

import { element } from "../elements.js";
import { formatClock, formatDayAndClock } from "../format.js";
import { timeRange } from "../time/time_range.js";

const CLICK_PIXELS = 4;
const LABEL_HALF = 36;
const DAY = 86_400;
const SHARED = new Set(["mousemove", "mouseleave"]);

/** uPlot's cursor; charts with the same `sync` share the crosshair's time. */
export function cursorOptions(sync) {
  const cursor = { y: false, drag: { x: true, y: false, setScale: false } };
  if (!sync) return cursor;
  uPlot.sync(sync);
  return { ...cursor, sync: { key: sync, scales: ["x", null], filters: { pub: (type) => SHARED.has(type) } } };
}

function showTimeAtCursor(chart, label) {
  const { left } = chart.cursor;
  label.hidden = !(left >= 0);
  if (label.hidden) return;
  const date = new Date(chart.posToVal(left, "x") * 1000);
  label.textContent = timeRange.seconds > DAY ? formatDayAndClock(date) : formatClock(date);
  label.style.left = `${Math.min(Math.max(left, LABEL_HALF), chart.over.clientWidth - LABEL_HALF)}px`;
}

function zoomToSelection(chart) {
  const { left, width } = chart.select;
  if (width <= CLICK_PIXELS) return;
  const [from, to] = [left, left + width].map((place) => chart.posToVal(place, "x"));
  chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  timeRange.setAbsolute(from, to);
}

function listenForPicks(chart, onPick) {
  const { over } = chart;
  let downAt = null;
  over.addEventListener("mousedown", (event) => {
    downAt = event.clientX;
  });
  over.addEventListener("click", (event) => {
    const still = downAt === null || Math.abs(event.clientX - downAt) < CLICK_PIXELS;
    downAt = null;
    if (still) onPick(chart.posToVal(event.clientX - over.getBoundingClientRect().left, "x"));
  });
}

function listenToTouch(chart) {
  chart.over.addEventListener(
    "touchmove",
    (event) => {
      const box = chart.over.getBoundingClientRect();
      chart.setCursor({ left: event.touches[0].clientX - box.left, top: event.touches[0].clientY - box.top });
    },
    { passive: true },
  );
}

/** The uPlot plugin. `onMove` gets the point under the crosshair or null, and whether the pointer is on this very chart. */
export function pointer({ onMove, onPick = null }) {
  const label = element("div", { class: "cursor-time", hidden: true });
  let isHere = false;
  return {
    hooks: {
      ready: (chart) => {
        chart.over.append(label);
        chart.over.addEventListener("pointerenter", () => {
          isHere = true;
        });
        chart.over.addEventListener("pointerleave", () => {
          isHere = false;
          onMove(chart.cursor.left >= 0 ? chart.cursor.idx : null, false);
        });
        chart.over.addEventListener("dblclick", () => timeRange.zoomOut());
        listenToTouch(chart);
        if (onPick) listenForPicks(chart, onPick);
      },
      setCursor: (chart) => {
        showTimeAtCursor(chart, label);
        onMove(chart.cursor.left >= 0 ? chart.cursor.idx : null, isHere);
      },
      setSelect: zoomToSelection,
    },
  };
}
