/** Small lines of the last hour beside a number: <svg data-sparkline data-device data-metric>, drawn when seen. */

import { getJson, serverNow } from "./api.js";

const RANGE_URL = "/api/v1/telemetry/range";
const SPAN_SECONDS = 3600;
const POINTS = 40;
const KEEP_MS = 60_000;

/** Points by "device metric", kept for a minute so that a refreshed table shows its lines at once. */
const known = new Map();
let waiting = [];

const keyOf = ({ device, metric }) => `${device} ${metric}`;

function pathOf(points, width, height) {
  const shown = points.filter(([, value]) => value !== null);
  if (shown.length < 2) return "";
  const values = shown.map(([, value]) => value);
  const top = Math.max(...values) * 1.1 || 1;
  const bottom = Math.min(...values) * 0.8;
  const first = points[0][0];
  const span = points.at(-1)[0] - first || 1;
  return shown
    .map(([time, value], index) => {
      const x = ((time - first) / span) * width;
      const y = height - ((value - bottom) / (top - bottom || 1)) * (height - 2) - 1;
      return `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

function draw(svg) {
  const found = known.get(keyOf(svg.dataset));
  if (!found) return false;
  const { width, height } = svg.viewBox.baseVal;
  svg.querySelector("path").setAttribute("d", pathOf(found.points, width, height));
  return Date.now() - found.at < KEEP_MS;
}

/** One call per metric for all devices that wait, not one per line. */
async function fetchLines(metric, lines) {
  const to = Math.floor(serverNow());
  const devices = [...new Set(lines.map((svg) => svg.dataset.device))];
  try {
    const answer = await getJson(RANGE_URL, [
      ...devices.map((device) => ["device", device]),
      ["metric", metric], ["from", to - SPAN_SECONDS], ["to", to], ["points", POINTS], ["agg", "avg"],
    ]);
    for (const { device, points } of answer.series) known.set(keyOf({ device, metric }), { at: Date.now(), points });
    lines.forEach(draw);
  } catch {
    // The number beside the line says what matters; the line stays away.
  }
}

function fetchWaiting() {
  const metrics = Map.groupBy(waiting, (svg) => svg.dataset.metric);
  waiting = [];
  for (const [metric, lines] of metrics) fetchLines(metric, lines);
}

export function startSparklines() {
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      if (!draw(target)) waiting.push(target);
    }
    if (waiting.length) fetchWaiting();
  });
  const watch = () => {
    for (const svg of document.querySelectorAll("[data-sparkline]")) {
      draw(svg);
      seen.observe(svg);
    }
  };
  document.addEventListener("htmx:after:swap", watch);
  watch();
}
