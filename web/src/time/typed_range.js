/** A time range as people type it: `3h`, `now-3h`, `now-2d to now-1d`, `2026-11-27 14:00 to now`. */

import { fromLocalInput } from "../time_zone.js";

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };
const PARTS = /(\d+)([smhdwy])/gu;
const DURATION = /^(?:\d+[smhdwy])+$/u;
const DAY = /^(\d{4}-\d{2}-\d{2})(?:[ t](\d{2}:\d{2})(:\d{2})?)?$/u;
const LONGEST_SECONDS = 20 * UNITS.y;
const CURE = "Type 3h, now-3h, or now-2d to now-1d (s, m, h, d, w, y).";

/** A duration such as `90m` or `1d12h` in seconds; NaN for what is none. */
export function secondsOfDuration(text) {
  if (!DURATION.test(text)) return Number.NaN;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(PARTS)) seconds += Number(count) * UNITS[unit];
  return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds : Number.NaN;
}

function moment(text, now) {
  if (text === "now") return now;
  const relative = /^now([+-])(.+)$/u.exec(text);
  if (relative) return now + (relative[1] === "-" ? -1 : 1) * secondsOfDuration(relative[2]);
  const day = DAY.exec(text);
  return day ? fromLocalInput(`${day[1]}T${day[2] ?? "00:00"}${day[3] ?? ":00"}`) : Number.NaN;
}

/** `{ span }` for what follows the present, `{ from, to }` for a past range, `{ error }` with the cure. */
export function parseTypedRange(typed, now) {
  const text = typed.trim().toLowerCase().replaceAll(/\s*([+-])\s*(?=\d+[smhdwy])/gu, "$1");
  const ends = text.split(/\s+(?:to|until|–)\s+/u);
  const span = text.replace(/^(?:last\s+|now-|-)/u, "").replace(/\s+to\s+now$/u, "");
  if (!Number.isNaN(secondsOfDuration(span)) && /^(?:last\s|now-|-|\d)/u.test(text)) return { span };
  if (ends.length > 2) return { error: `“${typed}” has more than two ends. ${CURE}` };
  const [from, to] = [moment(ends[0], now), moment(ends[1] ?? "now", now)];
  const wrong = [from, to].findIndex(Number.isNaN);
  if (wrong >= 0) return { error: text ? `“${ends[wrong]}” is no time. ${CURE}` : CURE };
  if (to <= from) return { error: `The end must be after the start. ${CURE}` };
  return { from, to };
}
