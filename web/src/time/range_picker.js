/** The toolbar over the charts: presets, custom range, back, forward, zoom out, live or paused. */

import { serverNow } from "../api.js";
import { element } from "../elements.js";
import { formatDayAndClock } from "../format.js";
import { fromLocalInput, toLocalInput } from "../time_zone.js";
import { PRESETS, timeRange } from "./time_range.js";
import { parseTypedRange } from "./typed_range.js";

function describeRange() {
  const preset = PRESETS.find(([key]) => key === timeRange.preset);
  if (preset) return preset[2];
  if (timeRange.preset) return `Last ${timeRange.preset}`;
  const [from, to] = timeRange.bounds().map((epoch) => formatDayAndClock(new Date(epoch * 1000)));
  return `${from} – ${to}`;
}

function showLive(live) {
  live.setAttribute("aria-pressed", String(timeRange.isLive));
  live.querySelector("[data-live-text]").textContent = timeRange.isLive ? "Live" : "Paused";
  live.title = timeRange.isLive ? "Pause at this moment" : "Follow the present again";
}

function show(toolbar) {
  for (const button of toolbar.querySelectorAll("[data-preset]")) {
    button.setAttribute("aria-pressed", String(button.dataset.preset === timeRange.preset));
  }
  toolbar.querySelector("[data-range-text]").textContent = describeRange();
  const live = toolbar.querySelector("[data-live]");
  if (live) showLive(live);
  const [from, to] = timeRange.bounds();
  toolbar.querySelector("[name=from]").value = toLocalInput(from);
  toolbar.querySelector("[name=to]").value = toLocalInput(to);
  keepRange();
}

function applyTyped(form) {
  const field = form.elements.typed;
  const { span, from, to, error } = parseTypedRange(field.value, serverNow());
  const note = form.querySelector("[data-typed-error]");
  note.hidden = !error;
  note.querySelector("[data-typed-words]").textContent = error ?? "";
  field.setAttribute("aria-invalid", String(Boolean(error)));
  if (error) return;
  if (span) timeRange.follow(span);
  else timeRange.setAbsolute(from, to);
  field.value = "";
  form.closest("details").open = false;
}

/** Links to other pages of the same data go there with the range that is shown. */
function keepRange() {
  for (const link of document.querySelectorAll("a[data-keeps-range]")) {
    const url = new URL(link.href);
    timeRange.writeTo(url.searchParams);
    link.href = url;
  }
}

function applyCustom(form) {
  const [from, to] = ["from", "to"].map((name) => fromLocalInput(form.elements[name].value));
  const valid = to > from;
  form.querySelector("[data-range-error]").hidden = valid;
  if (!valid) return;
  timeRange.setAbsolute(from, to);
  form.closest("details").open = false;
}

const ACTIONS = {
  back: () => timeRange.shift(-0.5),
  forward: () => timeRange.shift(0.5),
  "zoom-out": () => timeRange.zoomOut(),
};

export function startRangePicker(toolbar) {
  const presets = toolbar.querySelector("[data-presets]");
  presets.append(
    ...PRESETS.map(([key, , title]) => element("button", { type: "button", "data-preset": key, title }, key)),
  );
  toolbar.addEventListener("click", (event) => {
    const preset = event.target.closest("[data-preset]");
    if (preset) timeRange.follow(preset.dataset.preset);
    const action = event.target.closest("[data-range-action]");
    if (action) ACTIONS[action.dataset.rangeAction]();
    if (event.target.closest("[data-live]")) {
      if (timeRange.isLive) timeRange.pause();
      else timeRange.resume();
    }
  });
  for (const [selector, apply] of [["[data-range-typed]", applyTyped], ["[data-range-custom]", applyCustom]]) {
    toolbar.querySelector(selector).addEventListener("submit", (event) => {
      event.preventDefault();
      apply(event.target);
    });
  }
  timeRange.addEventListener("change", () => show(toolbar));
  show(toolbar);
}
