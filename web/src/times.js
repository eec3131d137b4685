/** Shows each <time datetime> in the reader's zone: relative, exact, in full or as a duration since then. */

import { serverNow } from "./api.js";
import { formatDuration, formatExact, formatFull, formatMoment, formatRelative } from "./format.js";

const REPEAT_MS = 5000;

function show(node) {
  const date = new Date(node.dateTime);
  if (Number.isNaN(date.getTime())) return;
  const now = serverNow() * 1000;
  node.title = formatExact(date);
  if (node.dataset.time === "since") node.textContent = formatDuration(Math.max(0, now - date.getTime()) / 1000);
  else if (node.dataset.time === "exact") node.textContent = formatMoment(date, now);
  else if (node.dataset.time === "full") node.textContent = formatFull(date);
  else node.textContent = formatRelative(date, now);
}

export function showTimes(root = document) {
  for (const node of root.querySelectorAll("time[datetime]")) show(node);
}

export function startTimes() {
  showTimes();
  document.addEventListener("htmx:after:swap", () => showTimes());
  setInterval(() => showTimes(), REPEAT_MS);
}
