/** The thresholds of a panel, a row for each: from a value on, a tone. */

import { element, icon } from "../elements.js";
import { input, select } from "./fields.js";

const TONES = [["good", "Good"], ["warning", "Warning"], ["critical", "Critical"]];
const MOST = 10;

export class ThresholdRows {
  root = element("div", { class: "board-thresholds" });
  #rows = [];
  #onChange;
  #add = element("button", { type: "button", class: "btn btn-sm", "data-add-threshold": true }, icon("plus"), "Add threshold");

  constructor(thresholds, onChange) {
    this.#onChange = onChange;
    this.#add.addEventListener("click", () => {
      this.#set([...this.value, { value: null, level: "warning" }]);
      this.#rows.at(-1).value.focus();
    });
    this.#draw(thresholds);
  }

  /** A row without a number has null. */
  get value() {
    return this.#rows.map(({ value, level }) => ({ value: value.value.trim() === "" ? null : Number(value.value), level: level.value }));
  }

  #set(thresholds) {
    this.#draw(thresholds);
    this.#onChange();
  }

  #draw(thresholds) {
    this.#rows = thresholds.map((one, place) => this.#row(one, place));
    this.#add.hidden = thresholds.length >= MOST;
    this.root.replaceChildren(...this.#rows.map(({ root }) => root), this.#add);
  }

  #row(threshold, place) {
    const number = place + 1;
    const value = input(threshold.value, { type: "number", step: "any", placeholder: "Value", "aria-label": `Value of threshold ${number}` });
    const level = select(TONES, threshold.level);
    level.setAttribute("aria-label", `Tone of threshold ${number}`);
    const remove = element("button", { type: "button", class: "icon-button", title: "Remove the threshold", "aria-label": `Remove threshold ${number}` }, icon("trash"));
    remove.addEventListener("click", () => this.#set(this.value.filter((_, other) => other !== place)));
    const root = element("div", { class: "board-threshold", "data-at": `thresholds[${place}]` }, element("span", { "data-at": "value" }, value), element("span", { "data-at": "level" }, level), remove);
    return { root, value, level };
  }
}
