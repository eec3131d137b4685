/** A form that fills a dialog: its head and its buttons stay in sight while its fields scroll. */

import { element, icon } from "../elements.js";

export function dialogForm(title, body) {
  return element(
    "form", { class: "board-panel-form", novalidate: true }, element("h2", {}, title), body,
    element("div", { class: "ask-errors", role: "alert", "data-errors": true, hidden: true }),
    element(
      "div", { class: "form-foot" }, element("button", { type: "submit", class: "btn btn-primary" }, icon("check"), "Apply"),
      element("button", { type: "button", class: "btn", "data-close-dialog": true }, "Cancel"),
    ),
  );
}
