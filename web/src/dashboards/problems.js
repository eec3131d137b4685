/** What is wrong with what was sent, line by line. */

import { element, icon } from "../elements.js";

export function showProblems(host, error) {
  const fields = Array.isArray(error.body?.errors) ? error.body.errors : [];
  const lines = fields.length ? fields.map(({ field, message }) => [field, message]) : [["", error.message]];
  host.replaceChildren(...lines.slice(0, 12).map(([field, text]) => element(
    "p", { class: "field-error" }, icon("alert-circle"), element("span", {}, field ? element("b", {}, `${field}: `) : "", text),
  )));
  host.hidden = false;
}

export function clearProblems(host) {
  host.replaceChildren();
  host.hidden = true;
}
