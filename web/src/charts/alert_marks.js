/** Alerts on the charts of a page: fetched once per range, marked as spans, and listed with links. Whether they are shown is remembered. */

import { getJson } from "../api.js";
import { element } from "../elements.js";
import { timeRange } from "../time/time_range.js";
import { annotations } from "./annotations.js";

const URL_OF_MARKS = "/api/v1/alerts/annotations";
const KEPT = "fleetkeeper.alert-marks";
const TONES = { critical: "critical", high: "critical", warning: "warning" };
const REFRESH_MS = 30_000;
const MOST_DEVICES = 100;
const MOST_LINKS = 20;

function markOf({ name, severity, device_name: device, start, end }) {
  const title = `${name} (${severity})${device ? ` on ${device}` : ""}`;
  return { from: Date.parse(start) / 1000, to: end ? Date.parse(end) / 1000 : timeRange.bounds()[1], title, tone: TONES[severity] };
}

function linkOf({ alert_id: id, name, severity, device_name: device }) {
  return element("li", {}, element("a", { href: `/alerts/${id}` }, name), ` ${severity}${device ? `, ${device}` : ""}`);
}

export class AlertMarks {
  #menu;
  #devicesOf;
  #pending = null;

  /** `devicesOf()` are the IDs of the devices that the page is about; null while it is about none. */
  constructor(menu, devicesOf) {
    this.#menu = menu;
    this.#devicesOf = devicesOf;
  }

  get #toggle() {
    return this.#menu.querySelector("input");
  }

  start() {
    // The bell is there for those who may read alerts.
    if (!document.querySelector('[hx-get="/alerts/firing"]')) return;
    this.#menu.hidden = false;
    this.#toggle.checked = localStorage.getItem(KEPT) !== "off";
    this.#toggle.addEventListener("change", () => {
      localStorage.setItem(KEPT, this.#toggle.checked ? "on" : "off");
      this.load();
    });
    timeRange.addEventListener("change", () => this.load());
    setInterval(() => !document.hidden && timeRange.isLive && this.load(), REFRESH_MS);
    this.load();
  }

  async load() {
    if (this.#menu.hidden) return;
    this.#pending?.abort();
    const devices = this.#devicesOf();
    if (!this.#toggle.checked || devices === null) {
      this.#show([], devices === null ? "Choose a device to see its alerts." : "");
      return;
    }
    this.#pending = new AbortController();
    const [start, end] = timeRange.bounds();
    const asked = [["start", start.toFixed(3)], ["end", end.toFixed(3)], ...devices.slice(0, MOST_DEVICES).map((id) => ["device_id", id])];
    try {
      this.#show(await getJson(URL_OF_MARKS, asked, this.#pending.signal), "No alerts in this time range.");
    } catch (error) {
      if (error.name !== "AbortError") this.#show([], error.message);
    }
  }

  #show(found, otherwise) {
    // The newest come first; charts keep the last ones where there are too many.
    annotations.set("alerts", found.map(markOf).reverse());
    this.#menu.querySelector("[data-alert-count]").textContent = found.length ? ` (${found.length})` : "";
    const nothing = otherwise ? [element("li", { class: "is-soft" }, otherwise)] : [];
    this.#menu.querySelector("ul").replaceChildren(...(found.length ? found.slice(0, MOST_LINKS).map(linkOf) : nothing));
  }
}

export function startAlertMarks(toolbar, devicesOf) {
  const marks = new AlertMarks(toolbar.querySelector("[data-alert-marks]"), devicesOf);
  marks.start();
  return marks;
}
