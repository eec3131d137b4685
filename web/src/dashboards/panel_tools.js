/** The buttons of a panel in edit mode, and the handle that moves and sizes it by keys. */

import { element, icon } from "../elements.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function tool(sign, title, act, { isOff = false, css = "" } = {}) {
  const button = element("button", { type: "button", class: `icon-button ${css}`, title, "aria-label": title, disabled: isOff }, icon(sign));
  button.addEventListener("click", act);
  return button;
}

/** `onStep([columns, lines], isSizing)` for an arrow key; the panel is dragged by its whole head. */
function handle(title, onStep) {
  const node = element(
    "span", { class: "icon-button board-handle", role: "button", tabindex: "0", title: "Drag to move. Arrow keys move, Shift with arrow keys resizes.", "aria-label": `Move or resize ${title}` },
    icon("grip-vertical"),
  );
  node.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    onStep(step, event.shiftKey);
  });
  return node;
}

/** `acts` are { step, swap, edit, duplicate, remove }. */
export function panelTools({ title: name }, acts) {
  const title = name || "Untitled";
  return [
    handle(title, acts.step),
    tool("arrow-up", `Move ${title} up`, () => acts.swap(-1), { css: "board-phone-tool" }),
    tool("arrow-down", `Move ${title} down`, () => acts.swap(1), { css: "board-phone-tool" }),
    tool("pencil", `Edit ${title}`, acts.edit),
    tool("copy", `Duplicate ${title}`, acts.duplicate),
    tool("trash", `Remove ${title}`, acts.remove),
  ];
}
