/** One panel of a dashboard: its frame, its states (loading, empty, failed), and its picture. */

import { shownRange } from "../charts/columns.js";
import { LineChart } from "../charts/line_chart.js";
import { element, icon } from "../elements.js";
import { timeRange } from "../time/time_range.js";
import { askPanel, figureWords } from "./answers.js";
import { exploreAddress } from "./explore_link.js";
import { showText, VISUALS } from "./visuals.js";

const FIGURES = new Set(["stat", "gauge", "bars"]);
const LINES = new Set(["line", "area"]);
const POINTS_PER_PIXEL = 0.5;

export class BoardPanel {
  isVisible = false;
  isStale = true;
  #picture = element("div", { class: "panel-chart skeleton" });
  #legend = element("div", { class: "panel-legend" });
  #tools = element("span", { class: "board-tools" });
  #aggregate = element("small", { class: "board-aggregate" });
  #chart = null;
  #message = null;
  #own = [];
  #explore;
  #name = element("span", {});
  #note = element("span", { class: "board-note", tabindex: "0", role: "img" }, icon("info-circle"));
  #answer = null;
  #bounds = null;
  #onRetry;

  constructor(panel, { onRetry = () => {} } = {}) {
    this.panel = panel;
    this.#onRetry = onRetry;
    const title = panel.title || "Untitled";
    this.#explore = element("a", { class: "icon-button", href: "/explore", title: "Open in Explore", "aria-label": `Open ${title} in Explore`, hidden: true }, icon("chart-line"));
    const expand = element("button", { type: "button", class: "icon-button", "aria-label": `Enlarge ${title}`, "aria-pressed": "false" }, icon("arrows-maximize"));
    expand.addEventListener("click", () => this.#enlarge(expand));
    this.#own = panel.kind === "text" ? [] : [this.#explore, expand];
    this.setTools();
    this.root = element(
      "article", { class: `panel board-panel is-${panel.kind}`, "aria-label": title },
      element("header", { class: "panel-head" }, element("h3", {}, this.#name, this.#note, this.#aggregate), this.#tools),
      this.#picture, this.#legend,
    );
    this.root.boardPanel = this;
    this.#showWords();
    if (LINES.has(panel.kind)) this.#chart = new LineChart(this.#picture, this.#legend);
    else this.#legend.remove();
  }

  /** The same kind of panel with another look: what was answered last is drawn again. */
  change(panel) {
    this.panel = panel;
    this.#showWords();
    if (this.#answer) this.#show(this.#answer, this.#bounds);
  }

  destroy() {
    this.#chart?.destroy();
  }

  #showWords() {
    const { title, description, kind } = this.panel;
    this.#name.textContent = title;
    this.#note.hidden = !description;
    this.#note.title = description;
    this.#note.setAttribute("aria-label", description);
    if (kind !== "text") return;
    this.#picture.classList.remove("skeleton");
    showText(this.#picture, this.panel);
    this.isStale = false;
  }

  /** Its place in the row's grid, from `layout.js`. */
  setPlace(place) {
    this.place = place;
    const { x, y, width, height } = place;
    for (const [name, value] of Object.entries({ column: x + 1, line: y + 1, width, height })) this.root.style.setProperty(`--${name}`, value);
  }

  /** In edit mode the panel gets other buttons; without any it has its own. */
  setTools(...nodes) {
    this.#tools.replaceChildren(...(nodes.length ? nodes : this.#own));
  }

  #enlarge(button) {
    const isLarge = this.root.classList.toggle("is-large");
    button.setAttribute("aria-pressed", String(isLarge));
    button.replaceChildren(icon(isLarge ? "arrows-minimize" : "arrows-maximize"));
  }

  /** Asks and shows; resolves when there is something to see, to the error that it is or to null. */
  async load(definition, values, bounds, signal) {
    if (this.panel.kind === "text") return null;
    this.isStale = false;
    this.root.classList.add("is-loading");
    this.root.setAttribute("aria-busy", "true");
    const points = Math.min(600, Math.max(60, Math.round(this.#picture.clientWidth * POINTS_PER_PIXEL)));
    try {
      const answer = await askPanel(this.panel, definition.variables, values, bounds, points, signal);
      this.#show(answer, bounds);
      this.#explore.href = exploreAddress(this.panel, definition.variables, values, answer.texts, timeRange);
      this.#explore.hidden = false;
      return null;
    } catch (error) {
      if (error.name === "AbortError") {
        this.isStale = true;
        throw error;
      }
      this.#fail(error);
      return error;
    } finally {
      this.root.classList.remove("is-loading");
      this.root.setAttribute("aria-busy", "false");
    }
  }

  #show(answer, bounds) {
    [this.#answer, this.#bounds] = [answer, bounds];
    this.#picture.classList.remove("skeleton");
    this.#say(null);
    if (!answer.lines.length) {
      this.#chart?.clear();
      if (!this.#chart) this.#picture.replaceChildren();
      const hint = this.panel.missing ? element("small", {}, this.panel.missing) : null;
      this.#say("clock", "No data in this range", hint);
      return;
    }
    const { kind, calc } = this.panel;
    if (FIGURES.has(kind)) this.#aggregate.textContent = figureWords(calc, answer.isInstant, bounds, Date.now() / 1000);
    if (this.#chart) this.#chart.show(answer, shownRange(answer, bounds), this.panel);
    else VISUALS[kind](this.#picture, this.panel, answer);
  }

  #fail(error) {
    this.#answer = null;
    this.#picture.classList.remove("skeleton");
    const retry = element("button", { type: "button", class: "btn btn-sm" }, "Try again");
    retry.addEventListener("click", () => this.#onRetry(this));
    const fields = Array.isArray(error.body?.errors) ? error.body.errors : [];
    const lines = fields.map(({ field, message }) => element("small", {}, `${field}: ${message}`));
    this.#say("alert-triangle", error.message, ...lines, retry);
  }

  #say(sign, text, ...more) {
    this.#message?.remove();
    this.#message = null;
    this.root.classList.toggle("has-message", sign !== null);
    if (sign === null) return;
    this.#message = element("div", { class: "panel-message", role: "status" }, icon(sign), element("p", {}, text), ...more);
    this.#picture.append(this.#message);
  }
}
