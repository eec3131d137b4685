/** Axes of the charts: round steps for the unit, times in the reader's zone. */

import uPlot from "uplot";

import { formatTick } from "../format.js";
import { timeZone } from "../time_zone.js";
import { axisColour, gridColour } from "./palette.js";

export const FONT = '11px "Inter Variable", system-ui, sans-serif';
const LEFT_WIDTH = 62;
const DAY = 86_400;
const BINARY_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** power);

const clock = new Intl.DateTimeFormat(undefined, { timeZone, hour: "2-digit", minute: "2-digit", hour12: false });
const seconds = new Intl.DateTimeFormat(undefined, { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { timeZone, day: "numeric", month: "short" });

function timeLabels(_chart, splits, _axis, _space, step) {
  let lastDay = null;
  return splits.map((epoch) => {
    const date = new Date(epoch * 1000);
    const today = day.format(date);
    const turned = lastDay !== null && today !== lastDay;
    lastDay = today;
    if (step >= DAY || turned) return day.format(date);
    return (step < 60 ? seconds : clock).format(date);
  });
}

/** The moment of a tick as uPlot wants it: a date whose parts are those of the zone. */
export function zonedDate(epoch) {
  const date = new Date(epoch * 1000);
  return timeZone ? uPlot.tzDate(date, timeZone) : date;
}

export function timeAxis(hasGrid = true) {
  return {
    stroke: axisColour, font: FONT, size: 26, gap: 6, space: 70,
    grid: { show: hasGrid, stroke: gridColour, width: 1 }, ticks: { show: false }, values: timeLabels,
  };
}

export function valueAxis(unit) {
  const axis = {
    stroke: axisColour, font: FONT, size: LEFT_WIDTH, gap: 6, space: 26,
    grid: { stroke: gridColour, width: 1 }, ticks: { show: false },
    values: (_chart, splits) => splits.map((value) => formatTick(Math.abs(value), unit)),
  };
  if (unit.includes("bytes")) axis.incrs = BINARY_STEPS;
  return axis;
}

export function coreAxis(labels) {
  const every = Math.ceil(labels.length / 8);
  return {
    stroke: axisColour, font: FONT, size: LEFT_WIDTH, gap: 6, grid: { show: false }, ticks: { show: false },
    splits: () => labels.map((_, index) => index + 0.5).filter((_, index) => index % every === 0),
    values: (_chart, splits) => splits.map((place) => `Core ${labels[Math.floor(place)]}`),
  };
}
