/** Items of a list are put into another order at their handle, [data-reorder]: by dragging it, or by the arrow keys. */

const ITEM = "li";

function say(item) {
  const items = [...item.parentElement.querySelectorAll(`:scope > ${ITEM}`)];
  const status = item.closest("form").querySelector("[data-reorder-status]");
  const name = item.querySelector("label").textContent.trim();
  status.textContent = `${name}: ${items.indexOf(item) + 1} of ${items.length}`;
}

function move(item, step) {
  const neighbor = step < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!neighbor) return;
  if (step < 0) neighbor.before(item);
  else neighbor.after(item);
  item.scrollIntoView({ block: "nearest" });
  say(item);
}

/** Where the pointer is: the item stands before the first one whose middle lies below it. */
function place(item, y) {
  const others = [...item.parentElement.children].filter((one) => one !== item);
  const next = others.find((one) => {
    const { top, height } = one.getBoundingClientRect();
    return y < top + height / 2;
  });
  if (next === item.nextElementSibling) return;
  if (next) next.before(item);
  else item.parentElement.append(item);
}

function startDrag(handle, { pointerId }) {
  const item = handle.closest(ITEM);
  const drag = ({ clientY }) => place(item, clientY);
  const end = () => {
    document.removeEventListener("pointermove", drag);
    delete item.dataset.dragged;
    say(item);
  };
  item.dataset.dragged = pointerId;
  document.addEventListener("pointermove", drag);
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, end, { once: true });
}

export function startReordering() {
  document.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-reorder]");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    handle.focus();
    startDrag(handle, event);
  });
  document.addEventListener("keydown", (event) => {
    const handle = event.target.closest("[data-reorder]");
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!handle || !step) return;
    event.preventDefault();
    move(handle.closest(ITEM), step);
    handle.focus();
  });
}
