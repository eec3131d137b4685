/** What the panel under edit shows. It is asked for again soon after its queries changed, and drawn again at once when only its look did. */

import { element } from "../elements.js";
import { timeRange } from "../time/time_range.js";
import { BoardPanel } from "./panel.js";

const PAUSE_MS = 350;

export class PanelPreview {
  #host;
  #definition;
  #variables;
  #onError;
  #view = null;
  #asked = "";
  #timer;
  #call = null;

  /** `onError` gets what is wrong with the queries, or null. */
  constructor(host, { definition, variables, onError }) {
    [this.#host, this.#definition, this.#variables, this.#onError] = [host, definition, variables, onError];
  }

  show(panel) {
    const question = JSON.stringify([panel.kind, panel.unit, panel.queries]);
    clearTimeout(this.#timer);
    if (question === this.#asked) this.#view.change(panel);
    else this.#timer = setTimeout(() => this.#ask(panel, question), this.#view ? PAUSE_MS : 0);
  }

  async #ask(panel, question) {
    this.#call?.abort();
    this.#call = new AbortController();
    this.#asked = question;
    if (this.#view?.panel.kind === panel.kind) this.#view.change(panel);
    else this.#make(panel);
    try {
      this.#onError(await this.#view.load(this.#definition, this.#variables.values, timeRange.bounds(), this.#call.signal));
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  #make(panel) {
    this.#view?.destroy();
    this.#view = new BoardPanel(panel, { onRetry: ({ panel: same }) => this.#ask(same, this.#asked) });
    this.#view.setTools(element("span", { class: "is-soft" }, "Preview"));
    this.#host.replaceChildren(this.#view.root);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#call?.abort();
    this.#view?.destroy();
  }
}
