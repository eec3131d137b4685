/** A chart's legend: each line's color, dashes, name and value at the crosshair; a click hides a line, Shift leaves only it. */

import { drawing, element } from "../elements.js";
import { formatValue } from "../format.js";
import { seriesDash, seriesVariable } from "./palette.js";

const SWATCH_WIDTH = 18;

/** How a line looks, as a short piece of it. */
export function swatch({ colour, compared }) {
  const dash = seriesDash(colour, compared);
  const stroke = drawing("line", { x1: 0, x2: SWATCH_WIDTH, y1: 5, y2: 5, "stroke-dasharray": dash.join(" ") });
  const node = drawing("svg", { class: `legend-swatch${dash.length ? " is-dashed" : ""}`, viewBox: `0 0 ${SWATCH_WIDTH} 10`, "aria-hidden": "true" }, stroke);
  node.style.setProperty("--swatch", `var(${seriesVariable(colour)})`);
  return node;
}

export class Legend {
  #host;
  #onToggle;
  #onPoint;
  #items = [];

  /** `onToggle(index, alone)` for a click on a line, `onPoint(index)` for the pointer or the focus on it, null when it left. */
  constructor(host, { onToggle, onPoint }) {
    [this.#host, this.#onToggle, this.#onPoint] = [host, onToggle, onPoint];
  }

  /** Other lines; `left` counts those that are not drawn. */
  set(lines, left) {
    this.#items = lines.map((line, index) => this.#item(line, index));
    const rest = left > 0 ? [element("span", { class: "legend-rest" }, `and ${left} more`)] : [];
    this.#host.replaceChildren(...this.#items.map(({ button }) => button), ...rest);
  }

  #item(line, index) {
    const value = element("b", {});
    const button = element("button", { type: "button", class: "legend-item", title: line.name, "data-line": true }, swatch(line), element("span", {}, line.name), value);
    button.addEventListener("click", (event) => this.#onToggle(index, event.shiftKey));
    for (const name of ["pointerenter", "focus"]) button.addEventListener(name, () => this.#onPoint(index));
    for (const name of ["pointerleave", "blur"]) button.addEventListener(name, () => this.#onPoint(null));
    return { button, value };
  }

  /** `lines` are those of `set`, with newer values; `valueOf(index)` is what is shown of one. */
  show(lines, valueOf, hidden) {
    this.#items.forEach(({ button, value }, index) => {
      const text = formatValue(valueOf(index), lines[index].unit);
      if (value.textContent !== text) value.textContent = text;
      button.setAttribute("aria-pressed", String(!hidden.has(lines[index].name)));
    });
  }

  mark(near) {
    this.#items.forEach(({ button }, index) => button.classList.toggle("is-near", index === near));
  }
}

/** What stands under the heat map: the busiest core and the mean, and the scale of its colors. */
export class HeatLegend {
  #text;

  constructor(host) {
    this.#text = element("span", { class: "heat-text" });
    host.replaceChildren(this.#text, element("span", { class: "heat-scale" }, "0 %", element("i", {}), "100 %"));
  }

  show(lines, index) {
    const values = lines.map(({ label, values: column }) => ({ label, value: column[index] ?? null })).filter(({ value }) => value !== null);
    if (!values.length) {
      this.#text.textContent = "–";
      return;
    }
    const [{ unit }] = lines;
    const top = values.reduce((best, one) => (one.value > best.value ? one : best));
    const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length;
    this.#text.textContent = `Busiest: core ${top.label}, ${formatValue(top.value, unit)} · mean ${formatValue(mean, unit)}`;
  }
}
