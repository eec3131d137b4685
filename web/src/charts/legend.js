/** A panel's legend: each line's colour, name and value at the crosshair; a click hides a line, Shift leaves only it. */

import { element } from "../elements.js";
import { formatValue } from "../format.js";
import { seriesVariable } from "./palette.js";

export class Legend {
  #items = [];

  constructor(host, panel) {
    this.#items = panel.lines.map((line, index) => {
      const swatch = element("i", { class: "legend-swatch" });
      swatch.style.background = `var(${seriesVariable(index)})`;
      const value = element("b", {});
      const button = element(
        "button",
        { type: "button", class: "legend-item", "aria-pressed": "true", title: line.name },
        swatch, element("span", {}, line.name), value,
      );
      button.addEventListener("click", (event) => panel.toggleLine(line, event.shiftKey));
      return { button, value, line };
    });
    const rest = panel.left ? element("span", { class: "legend-rest" }, `and ${panel.left} quieter ones`) : null;
    host.replaceChildren(...this.#items.map(({ button }) => button), ...(rest ? [rest] : []));
  }

  show(index, unit) {
    for (const { button, value, line } of this.#items) {
      const text = formatValue(line.values[index] ?? null, unit);
      if (value.textContent !== text) value.textContent = text;
      button.setAttribute("aria-pressed", String(!line.hidden));
    }
  }
}

/** What stands under the heat map: the busiest core and the mean, and the scale of its colours. */
export class HeatLegend {
  #text;

  constructor(host) {
    this.#text = element("span", { class: "heat-text" });
    host.replaceChildren(this.#text, element("span", { class: "heat-scale" }, "0 %", element("i", {}), "100 %"));
  }

  show(index, unit, lines) {
    const values = lines.map(({ label, values: column }) => ({ label, value: column[index] ?? null })).filter(({ value }) => value !== null);
    if (!values.length) {
      this.#text.textContent = "–";
      return;
    }
    const top = values.reduce((best, one) => (one.value > best.value ? one : best));
    const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length;
    this.#text.textContent = `Busiest: core ${top.label}, ${formatValue(top.value, unit)} · mean ${formatValue(mean, unit)}`;
  }
}
