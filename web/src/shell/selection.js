/** Rows that are ticked: how many, all of a page at once, and the bar with what may be done with them. */

function update(list) {
  const boxes = [...list.querySelectorAll("[data-select]")];
  const ticked = boxes.filter((box) => box.checked).length;
  const bar = list.querySelector("[data-selection]");
  const matching = bar.querySelector("[data-select-matching]");
  if (!ticked && matching) matching.checked = false;
  bar.hidden = !ticked;
  bar.querySelector("[data-selected]").textContent = String(ticked);
  const all = list.querySelector("[data-select-all]");
  all.checked = ticked === boxes.length;
  all.indeterminate = ticked > 0 && ticked < boxes.length;
}

export function startSelection() {
  document.addEventListener("change", (event) => {
    const list = event.target.closest(".fk-card");
    if (!list?.querySelector("[data-selection]")) return;
    if (event.target.matches("[data-select-all]")) {
      for (const box of list.querySelectorAll("[data-select]")) box.checked = event.target.checked;
    }
    update(list);
  });
}
