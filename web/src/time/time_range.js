/** The time range that all charts share: relative or absolute, live or not, kept in the page's address. */

import { serverNow } from "../api.js";
import { secondsOfDuration } from "./typed_range.js";

export const PRESETS = [
  ["5m", 300, "Last 5 minutes"],
  ["15m", 900, "Last 15 minutes"],
  ["1h", 3600, "Last hour"],
  ["6h", 21_600, "Last 6 hours"],
  ["24h", 86_400, "Last 24 hours"],
  ["7d", 604_800, "Last 7 days"],
  ["30d", 2_592_000, "Last 30 days"],
];
const DEFAULT_PRESET = "1h";
const SHORTEST_SECONDS = 10;
// Any duration may be followed; those below the charts' buttons have a name.
const secondsOf = (key) => (key ? secondsOfDuration(key) || undefined : undefined);

class TimeRange extends EventTarget {
  #default = DEFAULT_PRESET;
  #preset = DEFAULT_PRESET;
  #from = null;
  #to = null;

  constructor() {
    super();
    this.#read();
    window.addEventListener("popstate", () => {
      this.#read();
      this.#announce();
    });
    // Such a page answers itself to going back; htmx would put one without life in its place.
    document.addEventListener("htmx:before:history:restore", (event) => event.preventDefault());
  }

  #read() {
    const query = new URLSearchParams(window.location.search);
    const [from, to] = ["from", "to"].map((name) => (query.has(name) ? Number(query.get(name)) : Number.NaN));
    if (to - from >= 1) {
      [this.#preset, this.#from, this.#to] = [null, from, to];
      return;
    }
    this.#preset = secondsOf(query.get("range")) ? query.get("range") : this.#default;
  }

  /** What is shown where the address names no range. */
  setDefault(preset) {
    this.#default = secondsOf(preset) ? preset : DEFAULT_PRESET;
    this.#read();
  }

  #write() {
    const url = new URL(window.location.href);
    this.writeTo(url.searchParams);
    window.history.pushState(null, "", url);
    this.#announce();
  }

  /** Put the range into an address's parameters, in place of one that is there. */
  writeTo(parameters) {
    for (const name of ["from", "to", "range"]) parameters.delete(name);
    if (this.#preset) parameters.set("range", this.#preset);
    else {
      parameters.set("from", Math.round(this.#from));
      parameters.set("to", Math.round(this.#to));
    }
  }

  #announce() {
    this.dispatchEvent(new Event("change"));
  }

  get preset() {
    return this.#preset;
  }

  get isLive() {
    return this.#preset !== null;
  }

  get seconds() {
    return this.isLive ? secondsOf(this.#preset) : this.#to - this.#from;
  }

  bounds() {
    if (!this.isLive) return [this.#from, this.#to];
    const now = serverNow();
    return [now - this.seconds, now];
  }

  follow(preset) {
    this.#preset = preset;
    this.#write();
  }

  setAbsolute(from, to) {
    const middle = (from + to) / 2;
    const half = Math.max(SHORTEST_SECONDS, to - from) / 2;
    [this.#preset, this.#from, this.#to] = [null, middle - half, middle + half];
    this.#write();
  }

  pause() {
    this.setAbsolute(...this.bounds());
  }

  /** Move by a share of the span: -0.5 goes back by half of it. */
  shift(share) {
    const [from, to] = this.bounds();
    const step = (to - from) * share;
    this.setAbsolute(from + step, to + step);
  }

  zoomOut() {
    const [from, to] = this.bounds();
    const half = (to - from) / 2;
    this.setAbsolute(from - half, Math.min(to + half, serverNow()));
  }

  /** Back to live with the preset that is nearest to the span now shown. */
  resume() {
    const span = this.seconds;
    const [key] = PRESETS.reduce((best, one) => (Math.abs(one[1] - span) < Math.abs(best[1] - span) ? one : best));
    this.follow(key);
  }
}

export const timeRange = new TimeRange();
