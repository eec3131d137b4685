/** Ties the page's fields, its address and the answer together. */

import { startAlertMarks } from "../charts/alert_marks.js";
import { startRangePicker } from "../time/range_picker.js";
import { timeRange } from "../time/time_range.js";
import { askMetrics, askPromql } from "./answers.js";
import { among, catalogue, deviceTitles, findDevices, findGroups, findMetrics, groupTitles } from "./choices.js";
import { showErrors } from "./errors.js";
import { Picker } from "./picker.js";
import { PromqlBox } from "./promql_box.js";
import { Results } from "./results.js";
import { startSaving } from "./save.js";
import { ExploreState, hasQuestion } from "./state.js";

export class ExplorePage {
  #root;
  #state = new ExploreState();
  #results;
  #box;
  #pickers = new Map();
  #pending = null;
  #timer;
  #isQueued = false;
  #asked = "";

  constructor(root) {
    this.#root = root;
    this.#results = new Results(root.querySelector("[data-results]"), this.#state, (suggestion) => this.#state.set(suggestion));
    this.#makePickers();
    this.#box = new PromqlBox(root.querySelector("[data-promql-box]"), {
      functions: JSON.parse(root.dataset.functions),
      metrics: catalogue,
      onRun: (query) => this.#run(query),
    });
  }

  start() {
    startRangePicker(this.#root.querySelector("[data-range-toolbar]"));
    for (const field of this.#root.querySelectorAll("[data-field]")) {
      field.addEventListener("change", () => this.#state.set(this.#chosen(field.dataset.field, field.value)));
    }
    this.#listenToTabs();
    this.#root.querySelector("[data-filters]").addEventListener("click", (event) => {
      this.#openFilters(event.currentTarget.getAttribute("aria-expanded") === "false");
    });
    for (const form of this.#root.querySelectorAll("form[data-panel]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (form.dataset.panel === "promql") this.#run(this.#box.value.trim());
      });
    }
    startSaving(this.#root, this.#state);
    this.#state.addEventListener("change", () => this.#queue());
    catalogue()
      .then((metrics) => this.#state.knowCounters(metrics.filter(({ kind }) => kind === "counter").map(({ name }) => name)))
      .catch(() => {});
    timeRange.addEventListener("change", () => this.#queue());
    const marks = startAlertMarks(this.#root, () => (this.#state.get("device").length ? this.#state.get("device") : null));
    this.#state.addEventListener("change", () => marks.load());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#isLive()) this.#ask();
    });
    this.#queue();
  }

  /** A choice, and what follows from it: devices that are put together have no lines of their own. */
  #chosen(name, value) {
    const by = this.#state.get("by");
    return name === "across" && value ? { across: value, by: by.filter((item) => item !== "device") } : { [name]: value };
  }

  #makePickers() {
    const state = this.#state;
    const types = JSON.parse(this.#root.dataset.deviceTypes);
    const departments = JSON.parse(this.#root.dataset.departments).map((name) => [name, name]);
    const typeTitles = new Map(types);
    const settings = {
      metric: { find: findMetrics, isFree: true, empty: "No matching metrics" },
      by: { find: (text) => findGroups(text, state.get("metric")), titlesOf: groupTitles },
      device: { find: findDevices, titlesOf: deviceTitles, empty: "No matching devices" },
      department: { find: among(departments), empty: departments.length ? "No matching departments" : "There are no departments" },
      device_type: { find: among(types), titlesOf: async (values) => values.map((value) => [value, typeTitles.get(value) ?? value]) },
    };
    for (const [name, options] of Object.entries(settings)) {
      const host = this.#root.querySelector(`[data-picker="${name}"]`);
      this.#pickers.set(name, new Picker(host, { ...options, onChange: (values) => state.set({ [name]: values }) }));
    }
  }

  /** On a small screen filters take room only when they are wanted. */
  #openFilters(isOpen) {
    this.#root.querySelector("[data-filters]").setAttribute("aria-expanded", String(isOpen));
    this.#root.querySelector("#ask-filters").classList.toggle("is-open", isOpen);
  }

  #listenToTabs() {
    const tabs = [...this.#root.querySelectorAll("[role=tab]")];
    for (const tab of tabs) {
      tab.addEventListener("click", () => this.#state.set({ mode: tab.dataset.mode }));
      tab.addEventListener("keydown", (event) => {
        if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
        const other = tabs.find((one) => one !== tab);
        other.focus();
        other.click();
      });
    }
  }

  /** The same query again is asked again: there may be newer samples. */
  #run(query) {
    if (query === this.#state.get("query")) this.#ask();
    else this.#state.set({ query });
  }

  /** Going back in the history changes the state and the range, and is one question. */
  #queue() {
    if (this.#isQueued) return;
    this.#isQueued = true;
    queueMicrotask(() => {
      this.#isQueued = false;
      this.#showFields();
      this.#refresh();
    });
  }

  #showFields() {
    const mode = this.#state.get("mode");
    for (const tab of this.#root.querySelectorAll("[role=tab]")) {
      const isCurrent = tab.dataset.mode === mode;
      tab.setAttribute("aria-selected", String(isCurrent));
      tab.tabIndex = isCurrent ? 0 : -1;
    }
    for (const panel of this.#root.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== mode;
    for (const field of this.#root.querySelectorAll("[data-field]")) {
      const value = this.#state.get(field.dataset.field);
      // An address may ask for what the list does not offer, such as another percentile.
      if (![...field.options].some((option) => option.value === value)) field.append(new Option(value, value));
      field.value = value;
    }
    for (const [name, picker] of this.#pickers) picker.set(this.#state.get(name));
    this.#box.value = this.#state.get("query");
    if (["device", "department", "device_type"].some((name) => this.#state.get(name).length)) this.#openFilters(true);
  }

  /** How the answer is shown may change without a new question. */
  #refresh() {
    const names = this.#state.get("mode") === "promql" ? ["query", "kind", "pstep"] : ["metric", "agg", "across", "by", "top", "compare", "step", "device", "department", "device_type"];
    const question = JSON.stringify([this.#state.get("mode"), names.map((name) => this.#state.get(name)), timeRange.preset, timeRange.preset ? null : timeRange.bounds()]);
    if (question === this.#asked) this.#results.draw();
    else {
      this.#asked = question;
      this.#ask();
    }
    this.#schedule();
  }

  #isLive() {
    return this.#state.get("refresh") !== "off" && timeRange.isLive;
  }

  #schedule() {
    clearTimeout(this.#timer);
    if (!this.#isLive()) return;
    this.#timer = setTimeout(() => {
      if (!document.hidden && this.#pending === null) this.#ask();
      this.#schedule();
    }, Number(this.#state.get("refresh")) * 1000);
  }

  #hasQuestion() {
    return hasQuestion(this.#state);
  }

  async #ask() {
    this.#pending?.abort();
    this.#clearErrors();
    if (!this.#hasQuestion()) {
      this.#pending = null;
      this.#results.invite(this.#state.get("mode"), await catalogue().catch(() => null));
      return;
    }
    const pending = new AbortController();
    this.#pending = pending;
    const bounds = timeRange.bounds();
    this.#results.wait();
    const since = performance.now();
    try {
      const answer = await this.#answer(bounds, pending.signal);
      if (this.#pending !== pending) return;
      this.#pending = null;
      this.#results.show(answer, bounds, performance.now() - since);
    } catch (error) {
      if (this.#pending !== pending) return;
      this.#pending = null;
      this.#results.fail(error);
      this.#showError(error);
    }
  }

  async #answer(bounds, signal) {
    if (this.#state.get("mode") === "metrics") return askMetrics(this.#state, bounds, signal);
    const known = await catalogue().catch(() => []);
    return askPromql(this.#state, bounds, new Map(known.map(({ name, unit }) => [name, unit])), signal);
  }

  #clearErrors() {
    for (const place of this.#root.querySelectorAll("[data-errors]")) place.hidden = true;
    for (const field of this.#root.querySelectorAll("[data-field][aria-invalid], [role=combobox][aria-invalid]")) field.removeAttribute("aria-invalid");
    this.#box.underline(null);
  }

  #showError(error) {
    const mode = this.#state.get("mode");
    const panel = this.#root.querySelector(`[data-panel="${mode}"]`);
    const control = (name) => this.#pickers.get(name)?.input ?? panel.querySelector(`[data-field="${CSS.escape(name)}"]`);
    showErrors(panel.querySelector("[data-errors]"), error, control);
    // What is underlined must be what was asked.
    if (mode === "promql" && error.body?.place && this.#box.value === this.#state.get("query")) this.#box.underline(error.body.place);
  }
}
