/** Moves through the rows of [data-row-keys] with j and k or the arrows; Enter opens the row's link. */

import { isTyping } from "./shortcuts.js";

const STEPS = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };

function moveFocus(table, step) {
  const links = [...table.querySelectorAll("[data-row-link]")];
  if (!links.length) return false;
  const here = links.indexOf(document.activeElement);
  const next = here === -1 ? (step > 0 ? 0 : links.length - 1) : here + step;
  if (next < 0 || next >= links.length) return false;
  links[next].focus();
  links[next].closest("tr").scrollIntoView({ block: "nearest" });
  return true;
}

export function startRowKeys() {
  document.addEventListener("keydown", (event) => {
    const table = document.querySelector("[data-row-keys]");
    if (!table || document.querySelector("dialog[open]")) return;
    const fromSearch = event.target.matches?.("[data-search-field]") && event.key === "ArrowDown";
    if (isTyping(event) && !fromSearch) return;
    const arrow = event.key.startsWith("Arrow");
    if (arrow && !fromSearch && !table.contains(document.activeElement)) return;
    const step = STEPS[event.key];
    if (step && moveFocus(table, step)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row-keys] tr");
    if (!row || event.target.closest("a, button, input, label") || window.getSelection().toString()) return;
    row.querySelector("[data-row-link]")?.click();
  });
}
