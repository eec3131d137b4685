/** The form of one panel, with what it shows beside it as one changes it. */

import { postJson } from "../api.js";
import { newQuery } from "../charts/panel.js";
import { element, icon } from "../elements.js";
import { dialogForm } from "./dialog_form.js";
import { area, checkbox, field, input, select } from "./fields.js";
import { COLUMNS, LOWEST, TALLEST, heightOf } from "./layout.js";
import { PanelPreview } from "./panel_preview.js";
import { clearProblems, showProblems } from "./problems.js";
import { QueryForm } from "./query_form.js";
import { ThresholdRows } from "./threshold_rows.js";

const KINDS = [["line", "Lines"], ["area", "Areas"], ["bars", "Bars"], ["stat", "Figures"], ["gauge", "Gauges"], ["table", "Table"], ["text", "Text"]];
const CALCS = [["last", "Last value"], ["mean", "Mean"], ["min", "Minimum"], ["max", "Maximum"], ["sum", "Sum"]];
const WIDTHS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((one) => [String(one), { 3: "A quarter", 4: "A third", 6: "A half", 8: "Two thirds", 9: "Three quarters", 12: "Whole" }[one] ?? `${one} twelfths`]);
const UNITS = ["percent", "bytes", "bytes/s", "bits/s", "celsius", "watts", "volts", "seconds", "duration"];
const MOST_QUERIES = 6;

const numberOf = (text) => (text.trim() === "" ? null : Number(text));

export class PanelForm {
  #panel;
  #definition;
  #variables;
  #lists;
  #dialog;
  #queries = [];
  #thresholds;
  #preview;
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
      this.#preview.stop();
      this.#dialog.remove();
    });
    this.#dialog.showModal();
    this.#fields.title.select();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-form-${name}]`);
  }

  #makeDialog() {
    const panel = this.#panel;
    const units = element("datalist", { id: "board-units" }, ...UNITS.map((one) => new Option(one, one)));
    const [stacked, stackedToggle] = checkbox("Stacked", panel.stacked);
    this.#thresholds = new ThresholdRows(panel.thresholds, () => this.#update());
    this.#fields = {
      title: input(panel.title, { maxlength: 120 }), kind: select(KINDS, panel.kind), width: select(WIDTHS, panel.width),
      height: input(panel.height, { type: "number", min: LOWEST, max: TALLEST, step: 1, placeholder: String(heightOf({ ...panel, height: null })) }),
      unit: input(panel.unit, { maxlength: 40, list: "board-units", placeholder: "That of the metric" }), calc: select(CALCS, panel.calc),
      minimum: input(panel.minimum, { type: "number", step: "any" }), maximum: input(panel.maximum, { type: "number", step: "any" }),
      description: input(panel.description, { maxlength: 500 }),
      missing: input(panel.missing, { maxlength: 500 }), text: area(panel.text, { maxlength: 5000, rows: 5 }), stacked,
    };
    const f = this.#fields;
    const add = element("button", { type: "button", class: "btn btn-sm", "data-add-query": true }, icon("plus"), "Add query");
    add.addEventListener("click", () => this.#setQueries([...this.#queries.map(({ value }) => value), newQuery()]));
    const fields = element(
      "div", { class: "board-fields" },
      element("div", { class: "ask-row" }, field("Title", f.title, { css: "is-wide", at: "title" }), field("Shown as", f.kind, { at: "kind" }), field("Width", f.width, { at: "width" }), field("Height", f.height, { at: "height" })),
      element("div", { "data-form-queries": true, class: "board-queries" }),
      element("div", { "data-form-add": true }, add),
      element("div", { "data-form-text": true }, field("Text", f.text, { css: "is-whole", at: "text", hint: "Shown as typed; markup is not interpreted." })),
      element("fieldset", { class: "board-more", "data-form-thresholds": true }, element("legend", {}, "Thresholds"), this.#thresholds.root),
      element("details", { class: "board-more", "data-form-more": true }, element("summary", {}, "Display"),
        element("div", { class: "ask-row" }, field("Unit", f.unit, { at: "unit" }), field("Figure", f.calc, { at: "calc", hint: "Of figures, gauges and bars" }), field("Minimum", f.minimum, { at: "minimum" }), field("Maximum", f.maximum, { at: "maximum" }), stackedToggle),
        element("div", { class: "ask-row" }, field("Explanation", f.description, { css: "is-wide", at: "description" }), field("No-data hint", f.missing, { css: "is-wide", at: "missing" }))),
      units,
    );
    const preview = element("div", { class: "board-preview", "data-form-preview": true, "aria-label": "Preview", role: "group" });
    const form = dialogForm("Panel", element("div", { class: "board-form-sides" }, preview, fields));
    this.#preview = new PanelPreview(preview, { definition: this.#definition, variables: this.#variables, onError: (error) => this.#mark(error) });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#apply();
    });
    form.addEventListener("input", () => this.#update());
    form.addEventListener("change", () => this.#update());
    const dialog = element("dialog", { class: "fk-dialog board-dialog", "aria-label": "Panel" }, form);
    this.#dialog = dialog;
    this.#setQueries(panel.queries.length || panel.kind === "text" ? panel.queries : [newQuery()]);
    return dialog;
  }

  #setQueries(queries) {
    this.#queries = queries.map((query, place) => new QueryForm(query, place, {
      variables: this.#definition.variables, lists: this.#lists, onChange: () => this.#update(),
      onRemove: () => this.#setQueries(this.#queries.filter((_, other) => other !== place).map(({ value }) => value)),
    }));
    this.#part("queries").replaceChildren(...this.#queries.map(({ root }) => root));
    this.#update();
  }

  #showParts() {
    const isText = this.#fields.kind.value === "text";
    if (!isText && !this.#queries.length) this.#setQueries([newQuery()]);
    this.#part("queries").hidden = isText;
    this.#part("add").hidden = isText || this.#queries.length >= MOST_QUERIES;
    this.#part("text").hidden = !isText;
    for (const name of ["thresholds", "more"]) this.#part(name).hidden = isText;
  }

  get #value() {
    const f = this.#fields;
    const isText = f.kind.value === "text";
    return {
      ...this.#place, title: f.title.value.trim(), kind: f.kind.value, unit: f.unit.value.trim() || null, calc: f.calc.value,
      minimum: numberOf(f.minimum.value), maximum: numberOf(f.maximum.value), thresholds: this.#thresholds.value,
      description: f.description.value.trim(), missing: f.missing.value.trim(), text: isText ? f.text.value : "", stacked: f.stacked.checked,
      queries: isText ? [] : this.#queries.map(({ value }) => value),
    };
  }

  /** A wider panel stays on the page: it begins further left. */
  get #place() {
    const { x = null, y = null } = this.#panel;
    const [width, height] = [Number(this.#fields.width.value), numberOf(this.#fields.height.value)];
    return { x: x === null ? null : Math.min(x, COLUMNS - width), y, width, height };
  }

  #update() {
    this.#showParts();
    this.#clearFaults();
    const panel = this.#value;
    this.#preview.show({ ...panel, thresholds: panel.thresholds.filter(({ value }) => value !== null) });
  }

  /** The server has the last word on what is right. */
  async #apply() {
    try {
      const definition = { variables: this.#definition.variables, rows: [{ panels: [this.#value] }] };
      const checked = await postJson("/api/v1/dashboards/check", { definition });
      this.#dialog.close();
      this.#onTake(checked.definition.rows[0].panels[0]);
    } catch (error) {
      for (const item of error.body?.errors ?? []) item.field = item.field.replace(/^rows\[0\]\.panels\[0\]\.?/, "") || "panel";
      this.#clearFaults();
      this.#mark(error);
      showProblems(this.#dialog.querySelector("[data-errors]"), error);
    }
  }

  #clearFaults() {
    for (const node of this.#dialog.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
    clearProblems(this.#dialog.querySelector("[data-errors]"));
  }

  /** Marks the fields that an error names. */
  #mark(error) {
    for (const { field: path } of error?.body?.errors ?? []) this.#controlAt(path)?.setAttribute("aria-invalid", "true");
  }

  #controlAt(path) {
    const [, part, rest] = /^((?:queries|thresholds)\[\d+\])\.?(.*)$/.exec(path) ?? [null, null, path];
    const scope = part ? this.#dialog.querySelector(`[data-at="${part}"]`) : this.#dialog;
    const name = rest.replace(/\[.*$/, "").replace(/^filter\.labels\..*$/, "filter.labels");
    const control = scope?.querySelector(`[data-at="${CSS.escape(name)}"] :is(input, select, textarea)`);
    if (control?.closest("details")) control.closest("details").open = true;
    return control;
  }
}
