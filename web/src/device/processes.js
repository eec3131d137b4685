/** The table of processes: of the present, or of the moment that was picked on a chart. */

import { ApiError, getJson, serverNow } from "../api.js";
import { bar, element, level } from "../elements.js";
import { formatDayAndClock, formatValue } from "../format.js";
import { moment } from "./moment.js";

const PROCESSES_URL = "/api/v1/telemetry/processes";
const REPEAT_MS = 5000;
const KEY_IS_TEXT = new Set(["name", "username"]);

const rateOf = (process) => (process.read_bytes_per_second ?? 0) + (process.write_bytes_per_second ?? 0);

export class ProcessTable {
  #host;
  #device;
  #processes = [];
  #sort = { key: "cpu_percent", descending: true };
  #filter = "";
  #timer = null;
  #isVisible = false;

  constructor(host, device) {
    this.#host = host;
    this.#device = device;
    host.addEventListener("click", (event) => {
      const header = event.target.closest("[data-sort]");
      if (header) this.#sortBy(header.dataset.sort);
      if (event.target.closest("[data-present]")) moment.set(null);
    });
    host.querySelector("[data-process-filter]").addEventListener("input", (event) => {
      this.#filter = event.target.value.toLowerCase();
      this.#render();
    });
    moment.addEventListener("change", () => this.load());
    new IntersectionObserver(([entry]) => {
      this.#isVisible = entry.isIntersecting;
      if (this.#isVisible) this.load();
    }, { rootMargin: "200px" }).observe(host);
    this.#markSorted();
  }

  #sortBy(key) {
    const descending = this.#sort.key === key ? !this.#sort.descending : !KEY_IS_TEXT.has(key);
    this.#sort = { key, descending };
    this.#markSorted();
    this.#render();
  }

  #markSorted() {
    for (const header of this.#host.querySelectorAll("[data-sort]")) {
      const active = header.dataset.sort === this.#sort.key;
      header.closest("th").setAttribute("aria-sort", active ? (this.#sort.descending ? "descending" : "ascending") : "none");
    }
  }

  async load() {
    clearTimeout(this.#timer);
    const at = moment.at ?? serverNow();
    this.#host.querySelector("[data-present]").hidden = moment.at === null;
    try {
      const answer = await getJson(PROCESSES_URL, [["device", this.#device], ["at", at.toFixed(3)]]);
      this.#processes = answer.processes ?? [];
      this.#say(answer.ts ? this.#caption(answer.ts, at) : "No snapshot of processes at this moment");
    } catch (error) {
      this.#processes = [];
      this.#say(error instanceof ApiError && error.status === 404 ? "No snapshot of processes at this moment" : error.message);
    }
    this.#render();
    if (moment.at === null && this.#isVisible) this.#timer = setTimeout(() => !document.hidden && this.load(), REPEAT_MS);
  }

  #caption(time, at) {
    const text = formatDayAndClock(new Date(time * 1000));
    const away = Math.round(Math.abs(at - time));
    if (moment.at === null) return away > 60 ? `Last snapshot: ${text}` : "Now";
    return away > 1 ? `At ${text} (the nearest snapshot, ${away} s away)` : `At ${text}`;
  }

  #say(text) {
    this.#host.querySelector("[data-process-caption]").textContent = text;
  }

  #shown() {
    const { key, descending } = this.#sort;
    const valueOf = key === "io" ? rateOf : (process) => process[key] ?? 0;
    const order = KEY_IS_TEXT.has(key) ? (a, b) => String(valueOf(a)).localeCompare(String(valueOf(b))) : (a, b) => valueOf(a) - valueOf(b);
    return this.#processes
      .filter((one) => `${one.pid} ${one.name} ${one.username} ${one.command}`.toLowerCase().includes(this.#filter))
      .sort((a, b) => (descending ? order(b, a) : order(a, b)));
  }

  #row(process) {
    const number = (text) => element("td", { class: "is-number" }, text);
    const share = (value) => element("td", {}, element("span", { class: "share" }, bar(value, level(value)), element("b", {}, formatValue(value, "percent"))));
    const name = element("td", { class: "process-name", title: process.command || process.name }, element("b", {}, process.name), element("span", {}, process.command ?? ""));
    return element(
      "tr", {}, number(String(process.pid)), name, element("td", {}, process.username || "–"), share(process.cpu_percent),
      share(process.memory_percent), number(formatValue(process.memory_bytes, "bytes")),
      number(formatValue(process.read_bytes_per_second, "bytes/s")), number(formatValue(process.write_bytes_per_second, "bytes/s")),
    );
  }

  #render() {
    const rows = this.#shown().map((process) => this.#row(process));
    const empty = element("tr", {}, element("td", { colspan: "8", class: "is-empty" }, "No process to show"));
    this.#host.querySelector("tbody").replaceChildren(...(rows.length ? rows : [empty]));
    this.#host.setAttribute("aria-busy", "false");
  }
}
