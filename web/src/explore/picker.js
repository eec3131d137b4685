/** A field for several values, with completion as one types: a combobox with what is chosen in front of it. */

import { element, icon } from "../elements.js";

const TYPING_PAUSE_MS = 120;
const MOST_OPTIONS = 60;
let count = 0;

export class Picker {
  #settings;
  #values = [];
  #titles = new Map();
  #options = [];
  #active = -1;
  #pending;
  #timer;
  #box;
  #input;
  #list;

  /** `find(text, signal)` answers [{value, title, detail}]; `titlesOf(values)` names values that came from the address. */
  constructor(host, settings) {
    this.#settings = settings;
    const id = `picker-${(count += 1)}`;
    const { label, placeholder } = host.dataset;
    this.#input = element("input", {
      id, type: "text", role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": `${id}-list`,
      "aria-label": label, autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder,
    });
    this.#list = element("div", { class: "picker-options", id: `${id}-list`, role: "listbox", "aria-label": label, hidden: true });
    this.#box = element("div", { class: "picker form-control" }, this.#input);
    host.append(element("label", { class: "form-label", for: id }, label), element("div", { class: "picker-wrap" }, this.#box, this.#list));
    this.#listen();
  }

  get input() {
    return this.#input;
  }

  set(values) {
    this.#values = [...values];
    this.#draw();
    const unknown = values.filter((value) => !this.#titles.has(value));
    if (unknown.length && this.#settings.titlesOf) this.#name(unknown);
  }

  async #name(values) {
    for (const [value, title] of await this.#settings.titlesOf(values)) this.#titles.set(value, title);
    this.#draw();
  }

  #titleOf(value) {
    return this.#titles.get(value) ?? value;
  }

  #draw() {
    const chips = this.#values.map((value) => {
      const title = this.#titleOf(value);
      const remove = element("button", { type: "button", "aria-label": `Remove ${title}` }, icon("x"));
      remove.addEventListener("click", () => {
        this.#choose(this.#values.filter((other) => other !== value));
        this.#input.focus();
      });
      return element("span", { class: "chip", title: value }, element("span", {}, title), remove);
    });
    // The input itself stays where it is: taken out and put back it would lose the focus.
    for (const chip of this.#box.querySelectorAll(".chip")) chip.remove();
    this.#input.before(...chips);
    this.#input.placeholder = this.#values.length ? "" : (this.#box.closest("[data-picker]").dataset.placeholder ?? "");
  }

  #choose(values) {
    this.#values = values;
    this.#draw();
    this.#settings.onChange(values);
  }

  #listen() {
    this.#box.addEventListener("click", (event) => {
      if (event.target === this.#box) this.#input.focus();
    });
    this.#input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(), TYPING_PAUSE_MS);
    });
    this.#input.addEventListener("focus", () => this.#search());
    this.#input.addEventListener("click", () => this.#list.hidden && this.#search());
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => this.#onKey(event));
    // Not on click: the field would lose its focus, and the list with it.
    this.#list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const place = this.#options.findIndex(({ node }) => node.contains(event.target));
      if (place >= 0) this.#take(place);
    });
  }

  async #search() {
    this.#pending?.abort();
    this.#pending = new AbortController();
    const { signal } = this.#pending;
    const text = this.#input.value.trim();
    try {
      const found = (await this.#settings.find(text, signal)).filter(({ value }) => !this.#values.includes(value));
      if (signal.aborted || document.activeElement !== this.#input) return;
      if (text && this.#settings.isFree && !found.some(({ value }) => value === text)) {
        found.push({ value: text, title: text, detail: "use as typed" });
      }
      this.#show(found);
    } catch (error) {
      if (error.name !== "AbortError") this.#say(error.message);
    }
  }

  #say(text) {
    this.#options = [];
    this.#list.replaceChildren(element("p", { class: "picker-empty" }, text));
    this.#open();
  }

  #show(found) {
    if (!found.length) {
      this.#say(this.#settings.empty ?? "No matches");
      return;
    }
    this.#options = found.slice(0, MOST_OPTIONS).map(({ value, title, detail, note }, place) => {
      const node = element(
        "div", { class: "picker-option", role: "option", id: `${this.#list.id}-${place}`, "aria-selected": "false" },
        element("span", { class: "picker-title" }, title ?? value), element("span", { class: "picker-note" }, note ?? ""),
        element("span", { class: "picker-detail" }, detail ?? ""),
      );
      return { value, title: title ?? value, node };
    });
    const rest = found.length - this.#options.length;
    const more = rest > 0 ? [element("p", { class: "picker-empty" }, `and ${rest} more: type on`)] : [];
    this.#list.replaceChildren(...this.#options.map(({ node }) => node), ...more);
    this.#open();
    this.#mark(this.#input.value.trim() ? 0 : -1);
  }

  #open() {
    this.#list.hidden = false;
    this.#list.scrollTop = 0;
    this.#input.setAttribute("aria-expanded", "true");
    this.#mark(-1);
  }

  #close() {
    this.#pending?.abort();
    clearTimeout(this.#timer);
    this.#list.hidden = true;
    this.#options = [];
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #mark(place) {
    this.#active = place;
    this.#options.forEach(({ node }, index) => node.setAttribute("aria-selected", String(index === place)));
    const node = this.#options[place]?.node;
    if (!node) {
      this.#input.removeAttribute("aria-activedescendant");
      return;
    }
    this.#input.setAttribute("aria-activedescendant", node.id);
    node.scrollIntoView({ block: "nearest" });
  }

  #take(place) {
    const { value, title } = this.#options[place];
    this.#titles.set(value, title);
    this.#input.value = "";
    this.#choose([...this.#values, value]);
    this.#close();
  }

  #onKey(event) {
    const isOpen = !this.#list.hidden && this.#options.length > 0;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) {
        this.#search();
        return;
      }
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#mark((this.#active + step + this.#options.length) % this.#options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isOpen && this.#active >= 0) this.#take(this.#active);
      // Whoever types faster than the list comes gets it now.
      else if (this.#input.value.trim()) this.#search();
    } else if (event.key === "Escape" && !this.#list.hidden) {
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Backspace" && !this.#input.value && this.#values.length) {
      this.#choose(this.#values.slice(0, -1));
    }
  }
}
