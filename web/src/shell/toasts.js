/** Short messages in the corner, read out by screen readers, gone by themselves. */

import { element, icon } from "../elements.js";

const STAY_MS = 7000;

export function showToast(text, kind = "info") {
  const region = document.getElementById("toasts");
  const close = element("button", { type: "button", class: "icon-button", "aria-label": "Dismiss" }, icon("x"));
  const sign = icon(kind === "danger" ? "alert-triangle" : "circle-check");
  const toast = element("div", { class: `fk-toast is-${kind}` }, sign, element("span", {}, text), close);
  close.addEventListener("click", () => toast.remove());
  region.append(toast);
  setTimeout(() => toast.remove(), STAY_MS);
}
