/** Fields of the editor's forms. */

import { element } from "../elements.js";

let count = 0;

/** A label over a control; `css` sets its width. */
export function field(label, control, { css = "", hint = "", at = "" } = {}) {
  control.id ||= `board-field-${(count += 1)}`;
  return element(
    "div", { class: `ask-field ${css}`, "data-at": at || null },
    element("label", { class: "form-label", for: control.id }, label), control, hint ? element("p", { class: "form-hint" }, hint) : null,
  );
}

export function input(value, attributes = {}) {
  return element("input", { class: "form-control", value: value ?? "", autocomplete: "off", ...attributes });
}

export function select(options, value) {
  const control = element("select", { class: "form-select" }, ...options.map(([key, text]) => new Option(text, key)));
  // A definition may say what the list does not offer.
  if (!options.some(([key]) => key === String(value))) control.append(new Option(value, value));
  control.value = String(value);
  return control;
}

export function area(value, attributes = {}) {
  const control = element("textarea", { class: "form-control", rows: 3, ...attributes });
  control.value = value;
  return control;
}

export function checkbox(label, isOn, hint = "") {
  const control = element("input", { type: "checkbox" });
  control.checked = isOn;
  return [control, element("label", { class: "toggle" }, control, element("span", {}, element("b", {}, label), hint ? element("span", { class: "form-hint" }, hint) : null))];
}

/** A place for a picker. */
export function pickerHost(name, label, placeholder, css = "is-wide") {
  return element("div", { class: `ask-field ${css}`, "data-picker": name, "data-at": name, "data-label": label, "data-placeholder": placeholder });
}
