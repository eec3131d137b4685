/** Numbers with units, and times in the reader's zone, as people read them. */

import { timeZone } from "./time_zone.js";

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const DECIMAL = ["", "k", "M", "G", "T", "P"];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });
const exact = new Intl.DateTimeFormat(undefined, { timeZone, dateStyle: "medium", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  timeZone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false,
});

const moment = new Intl.DateTimeFormat(undefined, {
  timeZone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});
const momentWithYear = new Intl.DateTimeFormat(undefined, {
  timeZone, year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hour12: false,
});
const zoneName = new Intl.DateTimeFormat(undefined, { timeZone, timeZoneName: "short" });
const year = new Intl.DateTimeFormat("en", { timeZone, year: "numeric" });

function scaled(value, base, suffixes) {
  let size = Math.abs(value);
  let step = 0;
  while (size >= base * 0.9995 && step < suffixes.length - 1) {
    size /= base;
    step += 1;
  }
  const digits = size >= 100 || (step === 0 && Number.isInteger(size)) ? 0 : size >= 10 ? 1 : 2;
  return [`${value < 0 ? "−" : ""}${size.toFixed(digits)}`, suffixes[step]];
}

const UNIT_FORMATS = {
  percent: (value) => `${Math.abs(value) >= 9.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)} %`,
  bytes: (value) => scaled(value, 1024, BINARY).join(" "),
  "bytes/s": (value) => `${scaled(value, 1024, BINARY).join(" ")}/s`,
  "kibibytes/s": (value) => `${scaled(value * 1024, 1024, BINARY).join(" ")}/s`,
  celsius: (value) => `${value.toFixed(0)} °C`,
  megahertz: (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} GHz` : `${value.toFixed(0)} MHz`),
  "bits/s": (value) => `${scaled(value, 1000, DECIMAL).join(" ")}bit/s`,
  duration: (value) => (Math.abs(value) < 60 ? `${value.toFixed(0)} s` : formatDuration(Math.abs(value))),
  watts: (value) => `${value.toFixed(0)} W`,
  seconds: (value) => (value !== 0 && Math.abs(value) < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(1)} s`),
};

/** A value with its unit: `formatValue(1536, "bytes")` is "1.50 KiB". A missing value is a dash. */
export function formatValue(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const format = UNIT_FORMATS[unit];
  if (format) return format(value);
  const [number, suffix] = scaled(value, 1000, DECIMAL);
  return `${number}${suffix ? ` ${suffix}` : ""}${unit ? `${suffix ? "" : " "}${unit}` : ""}`;
}

/** A short label for a chart's axis. */
export function formatTick(value, unit) {
  if (unit === "percent") return `${value} %`;
  return formatValue(value, unit).replace(/\.0+(?= |$)/, "").replace(/(\.\d)0(?= |$)/, "$1");
}

export function formatExact(date) {
  return exact.format(date);
}

export function formatClock(date) {
  return clock.format(date);
}

export function formatDayAndClock(date) {
  return dayAndClock.format(date);
}

/** To the second, with the year where it is another than now. */
export function formatMoment(date, nowMs) {
  return (year.format(date) === year.format(new Date(nowMs)) ? moment : momentWithYear).format(date);
}

/** To the second, with the year in any case and the time zone. */
export function formatFull(date) {
  return `${momentWithYear.format(date)} ${zoneName.formatToParts(date).find(({ type }) => type === "timeZoneName").value}`;
}

export function formatRelative(date, nowMs) {
  const seconds = (date.getTime() - nowMs) / 1000;
  const size = Math.abs(seconds);
  if (size < 3) return "now";
  if (size < 60) return relative.format(Math.round(seconds), "second");
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}

export function formatDuration(seconds) {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours} h ${minutes} min` : `${minutes} min`;
}
