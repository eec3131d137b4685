/** The definition as JSON: checked by the server as one types, each fault with its line; a click goes there. */

import { postJson } from "../api.js";
import { element, icon } from "../elements.js";
import { placeOf, placesOf } from "./json_places.js";

const PAUSE_MS = 500;
const CHECK_URL = "/api/v1/dashboards/check";

export class JsonEditor {
  #text;
  #status;
  #errors;
  #onRight;
  #timer;
  #shown = "";
  #checking = null;
  #isRight = true;
  #listening = new AbortController();

  constructor(host, onRight) {
    this.#text = host.querySelector("textarea");
    this.#status = host.querySelector("[data-json-status]");
    this.#errors = host.querySelector("[data-json-errors]");
    this.#onRight = onRight;
    this.#text.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#status.textContent = "";
      this.#isRight = false;
      this.#timer = setTimeout(() => this.#check(), PAUSE_MS);
    }, { signal: this.#listening.signal });
  }

  stop() {
    clearTimeout(this.#timer);
    this.#listening.abort();
    this.#tell([]);
  }

  show(definition) {
    this.#shown = JSON.stringify(definition, null, 2);
    this.#text.value = this.#shown;
    this.#isRight = true;
    this.#status.textContent = "";
    this.#tell([]);
  }

  /** Whether what stands there may be saved; checks what is not checked yet. */
  async isRight() {
    if (this.#isRight || this.#text.value === this.#shown) return true;
    clearTimeout(this.#timer);
    await this.#check();
    return this.#isRight;
  }

  async #check() {
    const text = this.#text.value;
    this.#checking?.abort();
    this.#checking = new AbortController();
    const { signal } = this.#checking;
    let definition;
    try {
      definition = JSON.parse(text);
    } catch (error) {
      const at = Number(/position (\d+)/.exec(error.message)?.[1] ?? text.length);
      this.#tell([["", error.message.replace(/^JSON\.parse: /, ""), [at, at + 1]]]);
      return;
    }
    try {
      const answer = await postJson(CHECK_URL, { definition }, signal);
      if (text !== this.#text.value) return;
      this.#isRight = true;
      this.#shown = text;
      this.#tell([]);
      this.#status.textContent = "Right";
      this.#onRight(answer.definition);
    } catch (error) {
      if (error.name === "AbortError") return;
      const places = placesOf(text);
      const fields = Array.isArray(error.body?.errors) ? error.body.errors : [];
      this.#tell(fields.length ? fields.map(({ field, message }) => [field, message, placeOf(places, field)]) : [["", error.message, [0, 0]]]);
    }
  }

  #tell(problems) {
    this.#text.setAttribute("aria-invalid", String(problems.length > 0));
    if (problems.length) this.#status.textContent = `${problems.length} ${problems.length === 1 ? "error" : "errors"}`;
    const text = this.#text.value;
    this.#errors.replaceChildren(...problems.map(([field, message, [start, end]]) => {
      const line = text.slice(0, start).split("\n").length;
      const go = element("button", { type: "button" }, icon("alert-circle"), element("span", {}, element("b", {}, `Line ${line}${field ? `, ${field}` : ""}: `), message));
      go.addEventListener("click", () => this.#select(start, end, line));
      return element("li", {}, go);
    }));
  }

  #select(start, end, line) {
    this.#text.focus();
    this.#text.setSelectionRange(start, end);
    const height = parseFloat(getComputedStyle(this.#text).lineHeight);
    this.#text.scrollTop = Math.max(0, (line - 4) * height);
  }
}
