/** The form of one panel, with what it shows beside it as one changes it. */

import { postJson } from "../api.js";
import { newQuery } from "../charts/panel.js";
import { element, icon } from "../elements.js";
import { timeRange } from "../time/time_range.js";
import { area, checkbox, field, input, select } from "./fields.js";
import { BoardPanel } from "./panel.js";
import { showProblems } from "./problems.js";
import { QueryForm } from "./query_form.js";

const KINDS = [["line", "Lines"], ["area", "Areas"], ["bars", "Bars"], ["stat", "Figures"], ["gauge", "Gauges"], ["table", "Table"], ["text", "Text"]];
const CALCS = [["last", "Last value"], ["mean", "Mean"], ["min", "Minimum"], ["max", "Maximum"], ["sum", "Sum"]];
const WIDTHS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((one) => [String(one), { 3: "A quarter", 4: "A third", 6: "A half", 8: "Two thirds", 9: "Three quarters", 12: "Whole" }[one] ?? `${one} twelfths`]);
const UNITS = ["percent", "bytes", "bytes/s", "bits/s", "celsius", "watts", "volts", "seconds", "duration"];
const LEVELS = ["good", "warning", "critical"];
const PAUSE_MS = 600;
const MOST_QUERIES = 6;

const numberOf = (text) => (text.trim() === "" ? null : Number(text));

/** "warning 75, critical 90" */
function thresholdsOf(text) {
  return text.split(",").map((part) => part.trim()).filter(Boolean).map((part) => {
    const [, level, value] = /^(\w+)\s+(-?[\d.]+)$/.exec(part) ?? [];
    return { level: level ?? part, value: Number(value) };
  });
}

export class PanelForm {
  #panel;
  #definition;
  #variables;
  #lists;
  #dialog;
  #queries = [];
  #timer;
  #call = null;
  #fields = {};
  #onTake;

  constructor(panel, { definition, variables, lists }) {
    [this.#panel, this.#definition, this.#variables, this.#lists] = [structuredClone(panel), definition, variables, lists];
  }

  /** `onTake` gets the panel once it is right. */
  open(onTake) {
    this.#onTake = onTake;
    this.#dialog = this.#makeDialog();
    document.body.append(this.#dialog);
    this.#dialog.addEventListener("close", () => {
      clearTimeout(this.#timer);
      this.#call?.abort();
      this.#dialog.remove();
    });
    this.#dialog.showModal();
    this.#fields.title.select();
    this.#preview();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-form-${name}]`);
  }

  #makeDialog() {
    const panel = this.#panel;
    const units = element("datalist", { id: "board-units" }, ...UNITS.map((one) => new Option(one, one)));
    const [stacked, stackedToggle] = checkbox("Stacked", panel.stacked);
    const thresholds = panel.thresholds.map(({ level, value }) => `${level} ${value}`).join(", ");
    this.#fields = {
      title: input(panel.title, { maxlength: 120 }), kind: select(KINDS, panel.kind), width: select(WIDTHS, panel.width),
      unit: input(panel.unit, { maxlength: 40, list: "board-units", placeholder: "That of the metric" }), calc: select(CALCS, panel.calc),
      minimum: input(panel.minimum, { type: "number", step: "any" }), maximum: input(panel.maximum, { type: "number", step: "any" }),
      thresholds: input(thresholds, { placeholder: "warning 75, critical 90" }), description: input(panel.description, { maxlength: 500 }),
      missing: input(panel.missing, { maxlength: 500 }), text: area(panel.text, { maxlength: 5000, rows: 5 }), stacked,
    };
    const f = this.#fields;
    const add = element("button", { type: "button", class: "btn btn-sm", "data-add-query": true }, icon("plus"), "Add query");
    add.addEventListener("click", () => this.#setQueries([...this.#queries.map(({ value }) => value), newQuery()]));
    const cancel = element("button", { type: "button", class: "btn", "data-close-dialog": true }, "Cancel");
    const form = element(
      "form", { class: "dialog-body board-panel-form", novalidate: true },
      element("h2", {}, "Panel"),
      element("div", { class: "ask-row" }, field("Title", f.title, { css: "is-wide", at: "title" }), field("Shown as", f.kind, { at: "kind" }), field("Width", f.width, { at: "width" })),
      element("div", { "data-form-queries": true, class: "board-queries" }),
      element("div", { "data-form-add": true }, add),
      element("div", { "data-form-text": true }, field("Text", f.text, { css: "is-whole", at: "text", hint: "Shown as typed; markup is not interpreted." })),
      element("details", { class: "board-more", "data-form-more": true }, element("summary", {}, "Look"),
        element("div", { class: "ask-row" }, field("Unit", f.unit, { at: "unit" }), field("Figure", f.calc, { at: "calc", hint: "Of figures, gauges and bars" }), field("Minimum", f.minimum, { at: "minimum" }), field("Maximum", f.maximum, { at: "maximum" })),
        element("div", { class: "ask-row" }, field("Thresholds", f.thresholds, { css: "is-wide", at: "thresholds" }), stackedToggle),
        element("div", { class: "ask-row" }, field("Explanation", f.description, { css: "is-wide", at: "description" }), field("No-data hint", f.missing, { css: "is-wide", at: "missing" }))),
      element("div", { class: "board-preview", "data-form-preview": true, "aria-label": "Preview", role: "group" }),
      element("div", { class: "ask-errors", role: "alert", "data-form-errors": true, hidden: true }),
      element("div", { class: "form-foot" }, element("button", { type: "submit", class: "btn btn-primary" }, icon("check"), "Apply"), cancel), units,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#apply();
    });
    form.addEventListener("input", () => this.#queue());
    form.addEventListener("change", () => this.#queue());
    const dialog = element("dialog", { class: "fk-dialog board-dialog", "aria-label": "Panel" }, form);
    this.#dialog = dialog;
    this.#setQueries(panel.queries.length || panel.kind === "text" ? panel.queries : [newQuery()]);
    this.#showParts();
    return dialog;
  }

  #setQueries(queries) {
    this.#queries = queries.map((query, place) => new QueryForm(query, place, {
      variables: this.#definition.variables, lists: this.#lists, onChange: () => this.#queue(),
      onRemove: () => this.#setQueries(this.#queries.filter((_, other) => other !== place).map(({ value }) => value)),
    }));
    this.#part("queries").replaceChildren(...this.#queries.map(({ root }) => root));
    this.#queue();
  }

  #showParts() {
    const isText = this.#fields.kind.value === "text";
    if (!isText && !this.#queries.length) this.#setQueries([newQuery()]);
    this.#part("queries").hidden = isText;
    this.#part("add").hidden = isText || this.#queries.length >= MOST_QUERIES;
    this.#part("text").hidden = !isText;
    this.#part("more").hidden = isText;
  }

  get #value() {
    const f = this.#fields;
    const isText = f.kind.value === "text";
    return {
      title: f.title.value.trim(), kind: f.kind.value, width: Number(f.width.value), unit: f.unit.value.trim() || null, calc: f.calc.value,
      minimum: numberOf(f.minimum.value), maximum: numberOf(f.maximum.value), thresholds: thresholdsOf(f.thresholds.value),
      description: f.description.value.trim(), missing: f.missing.value.trim(), text: isText ? f.text.value : "", stacked: f.stacked.checked,
      queries: isText ? [] : this.#queries.map(({ value }) => value),
    };
  }

  #queue() {
    clearTimeout(this.#timer);
    this.#showParts();
    this.#timer = setTimeout(() => this.#preview(), PAUSE_MS);
  }

  async #preview() {
    this.#call?.abort();
    this.#call = new AbortController();
    const panel = { ...this.#value, width: 12 };
    if (panel.thresholds.some(({ level, value }) => !LEVELS.includes(level) || Number.isNaN(value))) panel.thresholds = [];
    const view = new BoardPanel(panel, { onRetry: () => this.#preview() });
    view.setTools(element("span", { class: "is-soft" }, "Preview"));
    this.#part("preview").replaceChildren(view.root);
    try {
      await view.load(this.#definition, this.#variables.values, timeRange.bounds(), this.#call.signal);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  /** The server has the last word on what is right. */
  async #apply() {
    const errors = this.#part("errors");
    for (const node of this.#dialog.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
    try {
      const definition = { variables: this.#definition.variables, rows: [{ panels: [this.#value] }] };
      const checked = await postJson("/api/v1/dashboards/check", { definition });
      this.#dialog.close();
      this.#onTake(checked.definition.rows[0].panels[0]);
    } catch (error) {
      for (const item of error.body?.errors ?? []) {
        item.field = item.field.replace(/^rows\[0\]\.panels\[0\]\.?/, "") || "panel";
        this.#mark(item.field);
      }
      showProblems(errors, error);
      errors.scrollIntoView({ block: "nearest" });
    }
  }

  #mark(path) {
    const [, query, rest] = /^(queries\[\d+\])\.?(.*)$/.exec(path) ?? [null, null, path];
    const scope = query ? this.#dialog.querySelector(`[data-at="${query}"]`) : this.#dialog;
    const name = rest.replace(/\[.*$/, "").replace(/^filter\.labels\..*$/, "filter.labels");
    const control = scope?.querySelector(`[data-at="${CSS.escape(name)}"] :is(input, select, textarea)`);
    control?.setAttribute("aria-invalid", "true");
    if (control?.closest("details")) control.closest("details").open = true;
  }
}
