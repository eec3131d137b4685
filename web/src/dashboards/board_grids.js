/** The rows of a dashboard in edit mode as grids: panels are dragged by their heads, also into other rows, and sized at their edges. */

import { GridStack } from "gridstack";

import { element } from "../elements.js";
import { COLUMNS, LINE_PIXELS, LOWEST, NARROWEST, TALLEST } from "./layout.js";

const GAP = 12;
const OPTIONS = {
  column: COLUMNS, cellHeight: LINE_PIXELS, margin: GAP / 2, minRow: LOWEST, handle: ".panel-head", acceptWidgets: ".grid-stack-item", animate: false,
  resizable: { handles: "e,s,se" }, alwaysShowResizeHandle: true,
};

function itemOf(root) {
  const { x, y, width, height } = root.boardPanel.place;
  const content = element("div", { class: "grid-stack-item-content" });
  root.replaceWith(content);
  content.append(root);
  const item = element("div", {
    class: "grid-stack-item", "gs-x": x, "gs-y": y, "gs-w": width, "gs-h": height, "gs-min-w": NARROWEST, "gs-min-h": LOWEST, "gs-max-h": TALLEST,
  });
  content.replaceWith(item);
  item.append(content);
}

const placesIn = (grid) => grid.engine.nodes.map(({ el, x, y, w, h }) => ({ panel: el.querySelector(".board-panel").boardPanel.panel, x, y, width: w, height: h }));

/** A row that a panel is leaving keeps its height: the rows below stay where they are under the pointer. */
function holdHeights(host, isHeld) {
  for (const { style, offsetHeight } of host.querySelectorAll(".board-section")) style.minHeight = isHeld ? `${offsetHeight}px` : "";
}

export class BoardGrids {
  #onChange;
  #grids = [];
  #changed = new Map();

  /** `onChange(rows, isMoved)` gets the places in each changed row by its number, and whether a panel went to another row. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Makes grids of the rows that the board shows now. */
  start(host) {
    this.stop();
    this.#grids = [...host.querySelectorAll(".board-row")].map((row, place) => {
      [...row.children].forEach(itemOf);
      row.classList.add("grid-stack");
      const grid = GridStack.init(OPTIONS, row);
      grid.on("change", () => this.#note(place, false));
      grid.on("added removed", () => this.#note(place, true));
      grid.on("dragstart", () => holdHeights(host, true));
      grid.on("dragstop", () => holdHeights(host, false));
      return grid;
    });
  }

  stop() {
    for (const grid of this.#grids) grid.destroy(false);
    this.#grids = [];
  }

  /** A panel that goes from one row to another is told by both of them. */
  #note(place, isMoved) {
    if (!this.#changed.size) queueMicrotask(() => this.#tell());
    this.#changed.set(place, isMoved || this.#changed.get(place) === true);
  }

  #tell() {
    const changed = [...this.#changed];
    this.#changed.clear();
    if (!this.#grids.length) return;
    this.#onChange(new Map(changed.map(([place]) => [place, placesIn(this.#grids[place])])), changed.some(([, isMoved]) => isMoved));
  }
}
