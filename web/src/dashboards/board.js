/** The panels of a dashboard in their rows: they load as they come into view, a few at a time. */

import { element } from "../elements.js";
import { timeRange } from "../time/time_range.js";
import { placesOf } from "./layout.js";
import { BoardPanel } from "./panel.js";

const AT_ONCE = 4;

export class Board {
  #host;
  #variables;
  #onState;
  #views = new Map();
  #shown = [];
  #waiting = [];
  #calls = new Set();
  #definition = { variables: [], rows: [] };
  #seen = new IntersectionObserver((entries) => this.#onSight(entries), { rootMargin: "250px" });

  /** `onState` gets the number of panels that load. */
  constructor(host, variables, onState) {
    this.#host = host;
    this.#variables = variables;
    this.#onState = onState;
  }

  /** Shows a definition. A panel that was there before keeps what it shows. `decorate` may add to rows and panels. */
  show(definition, decorate = null) {
    this.#definition = definition;
    this.#seen.disconnect();
    this.#shown = [];
    const rows = definition.rows.map((row, place) => this.#row(row, place, decorate));
    this.#host.replaceChildren(...rows, ...(decorate?.foot?.() ?? []));
    if (!rows.length && !decorate) this.#host.append(element("div", { class: "empty" }, element("h2", {}, "No panels yet"), element("p", {}, "“Edit” adds rows and panels.")));
    for (const view of this.#shown) this.#seen.observe(view.root);
    // While somebody edits, what was taken away may come back.
    if (!decorate) this.#forgetOthers();
  }

  #forgetOthers() {
    for (const [panel, view] of this.#views) {
      if (this.#shown.includes(view)) continue;
      view.destroy();
      this.#views.delete(panel);
    }
  }

  #row(row, place, decorate) {
    const panels = placesOf(row.panels).map((where) => {
      const view = this.#viewOf(where.panel);
      view.setPlace(where);
      view.setTools(...(decorate?.tools(view.panel, place) ?? []));
      this.#shown.push(view);
      return view.root;
    });
    const head = decorate ? decorate.row(row, place) : row.title ? element("h2", { class: "board-heading" }, row.title) : null;
    return element("section", { class: "board-section", "aria-label": row.title || `Row ${place + 1}` }, head, element("div", { class: "board-row" }, ...panels));
  }

  #viewOf(panel) {
    let view = this.#views.get(panel);
    if (!view) {
      view = new BoardPanel(panel, { onRetry: (one) => this.#request(one) });
      this.#views.set(panel, view);
    }
    return view;
  }

  #onSight(entries) {
    for (const { target, isIntersecting } of entries) {
      const view = target.boardPanel;
      view.isVisible = isIntersecting;
      if (isIntersecting && view.isStale) this.#request(view);
    }
  }

  #request(view) {
    if (!this.#waiting.includes(view)) this.#waiting.push(view);
    this.#work();
  }

  /** Everything is to be asked again: what is seen now, the rest when it comes into sight. */
  reload() {
    this.#waiting = [];
    for (const call of this.#calls) call.abort();
    for (const view of this.#shown) {
      view.isStale = view.panel.kind !== "text";
      if (view.isStale && view.isVisible) this.#waiting.push(view);
    }
    this.#work();
  }

  #work() {
    while (this.#calls.size < AT_ONCE && this.#waiting.length) this.#load(this.#waiting.shift());
    this.#onState(this.#calls.size + this.#waiting.length);
  }

  async #load(view) {
    const call = new AbortController();
    this.#calls.add(call);
    try {
      await view.load(this.#definition, this.#variables.values, timeRange.bounds(), call.signal);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      this.#calls.delete(call);
      this.#work();
    }
  }
}
