/** The box for a query: completion as one types, and a line under what is wrong. */

import { getJson } from "../api.js";
import { element } from "../elements.js";
import { contextAt } from "./promql_context.js";

const MOST_OPTIONS = 60;
const AGGREGATIONS = ["sum", "avg", "min", "max", "count", "stddev", "stdvar", "group", "topk", "bottomk", "quantile", "count_values"];
const KEYWORDS = ["by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "and", "or", "unless"];
const DURATIONS = ["1m", "5m", "15m", "1h", "6h", "1d", "1w"];
const LABELS_URL = "/prometheus/api/v1/labels";

function ranked(options, word) {
  const wanted = word.toLowerCase();
  const rank = ({ title }) => {
    const place = title.toLowerCase().indexOf(wanted);
    return place < 0 ? 3 : place === 0 ? 0 : "_:".includes(title[place - 1]) ? 1 : 2;
  };
  return options
    .map((option) => [rank(option), option])
    .filter(([place]) => place < 3)
    .sort(([a, { title: one }], [b, { title: other }]) => a - b || one.length - other.length || one.localeCompare(other))
    .map(([, option]) => option);
}

export class PromqlBox {
  #text;
  #mirror;
  #list;
  #metrics;
  #functions;
  #onRun;
  #known = new Map();
  #options = [];
  #active = 0;
  #context = null;
  #turn = 0;

  /** `metrics()` resolves to the catalogue; `onRun` gets the query. */
  constructor(box, { functions, metrics, onRun }) {
    this.#text = box.querySelector("[data-promql]");
    this.#mirror = box.querySelector("[data-promql-mirror]");
    this.#list = box.querySelector("[role=listbox]");
    this.#metrics = metrics;
    this.#functions = functions;
    this.#onRun = onRun;
    this.#text.addEventListener("input", () => {
      this.underline(null);
      this.#grow();
      this.#complete(false);
    });
    this.#text.addEventListener("keydown", (event) => this.#onKey(event));
    this.#text.addEventListener("click", () => this.#close());
    this.#text.addEventListener("blur", () => this.#close());
    this.#text.addEventListener("scroll", () => {
      this.#mirror.scrollTop = this.#text.scrollTop;
    });
    this.#list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const place = this.#options.findIndex(({ node }) => node.contains(event.target));
      if (place >= 0) this.#take(place);
    });
  }

  get value() {
    return this.#text.value;
  }

  set value(text) {
    if (this.#text.value === text) return;
    this.#text.value = text;
    this.underline(null);
    this.#grow();
  }

  focus() {
    this.#text.focus();
  }

  /** Marks the characters [start, end), counted in code points; null marks none. */
  underline(place) {
    if (!place) {
      this.#mirror.replaceChildren();
      this.#text.removeAttribute("aria-invalid");
      return;
    }
    const characters = [...this.#text.value];
    const [before, wrong, after] = [characters.slice(0, place[0]), characters.slice(...place), characters.slice(place[1])].map((part) => part.join(""));
    this.#mirror.replaceChildren(before, element("mark", { "data-wrong": true }, wrong), after);
    this.#text.setAttribute("aria-invalid", "true");
  }

  #grow() {
    this.#text.rows = Math.min(12, Math.max(2, this.#text.value.split("\n").length));
  }

  async #labels(metric) {
    return this.#fetched(LABELS_URL, metric);
  }

  #fetched(path, metric) {
    const key = `${path} ${metric}`;
    if (!this.#known.has(key)) {
      const loading = getJson(path, metric ? [["match[]", metric]] : []).then(({ data }) => data);
      loading.catch(() => this.#known.delete(key));
      this.#known.set(key, loading);
    }
    return this.#known.get(key);
  }

  async #found({ kind, word, metric, label }) {
    if (kind === "expression") {
      const metrics = (await this.#metrics()).map(({ name, unit, description }) => ({ title: name, note: unit, detail: description }));
      const functions = this.#functions.map((name) => ({ title: name, note: "function", insert: `${name}(` }));
      const others = AGGREGATIONS.map((name) => ({ title: name, note: "aggregation" })).concat(KEYWORDS.map((name) => ({ title: name, note: "keyword" })));
      return ranked([...metrics, ...others, ...functions], word);
    }
    if (kind === "duration") return DURATIONS.map((title) => ({ title }));
    if (kind === "label" || kind === "grouping") {
      const names = (await this.#labels(metric ?? "")).filter((name) => kind === "grouping" || name !== "__name__");
      return ranked(names.map((title) => ({ title, note: "label", insert: kind === "label" ? `${title}="` : title })), word);
    }
    if (kind === "value" && label) {
      const values = await this.#fetched(`/prometheus/api/v1/label/${encodeURIComponent(label)}/values`, metric);
      return ranked(values.map((title) => ({ title })), word);
    }
    return [];
  }

  async #complete(asked) {
    const { selectionStart: caret, selectionEnd: end, value } = this.#text;
    const context = contextAt(value, caret);
    const turn = (this.#turn += 1);
    if (caret !== end || context.kind === "none" || (context.kind === "expression" && !context.word && !asked)) {
      this.#close();
      return;
    }
    let found = [];
    try {
      found = await this.#found(context);
    } catch {
      // Without completion one can still write.
    }
    if (turn !== this.#turn || document.activeElement !== this.#text) return;
    // What is written out already needs no list: Enter runs it, whatever longer names begin alike.
    if (!found.length || (found.some(({ title }) => title === context.word) && !asked)) this.#close();
    else this.#show(found, context);
  }

  #show(found, context) {
    this.#context = context;
    this.#options = found.slice(0, MOST_OPTIONS).map((option, place) => {
      const node = element(
        "div", { class: "picker-option", role: "option", id: `promql-option-${place}`, "aria-selected": "false" },
        element("span", { class: "picker-title" }, option.title), element("span", { class: "picker-note" }, option.note ?? ""),
        element("span", { class: "picker-detail" }, option.detail ?? ""),
      );
      return { ...option, node };
    });
    this.#list.replaceChildren(...this.#options.map(({ node }) => node));
    this.#list.hidden = false;
    this.#mark(0);
  }

  #close() {
    this.#turn += 1;
    this.#list.hidden = true;
    this.#options = [];
    this.#text.removeAttribute("aria-activedescendant");
  }

  #mark(place) {
    this.#active = place;
    this.#options.forEach(({ node }, index) => node.setAttribute("aria-selected", String(index === place)));
    this.#text.setAttribute("aria-activedescendant", this.#options[place].node.id);
    this.#options[place].node.scrollIntoView({ block: "nearest" });
  }

  #take(place) {
    const { title, insert = title } = this.#options[place];
    const { from, kind, quote } = this.#context;
    let text = insert;
    if (kind === "value") {
      const escaped = quote === "`" ? title : title.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`);
      text = this.#text.value[this.#text.selectionEnd] === quote ? escaped : escaped + quote;
    }
    this.#text.setRangeText(text, from, this.#text.selectionEnd, "end");
    this.#close();
    this.underline(null);
    // After a label's name its values are wanted.
    if (kind === "label") this.#complete(false);
  }

  #onKey(event) {
    const isOpen = !this.#list.hidden;
    if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#mark((this.#active + step + this.#options.length) % this.#options.length);
    } else if (isOpen && (event.key === "Tab" || (event.key === "Enter" && !event.ctrlKey && !event.shiftKey))) {
      event.preventDefault();
      this.#take(this.#active);
    } else if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#close();
      this.#onRun(this.#text.value.trim());
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      this.#complete(true);
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.#close();
  }
}
