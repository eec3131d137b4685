/** The choices above the panels; what is chosen stands in the page's address as `var-name`. */

import { getJson } from "../api.js";
import { element } from "../elements.js";
import { among, deviceTitles, findDevices, findMetrics } from "../explore/choices.js";
import { Picker } from "../explore/picker.js";

const KIND_TITLES = { device: "Device", department: "Department", device_type: "Device type", label: "Label", metric: "Metric" };
const parameterOf = (name) => `var-${name}`;

export async function findLabelValues(text, { label, metric }, signal) {
  const parameters = metric ? [["match[]", metric]] : [];
  const { data } = await getJson(`/prometheus/api/v1/label/${encodeURIComponent(label)}/values`, parameters, signal);
  return data.filter((value) => value.toLowerCase().includes(text.toLowerCase())).map((value) => ({ value, title: value || "(empty)" }));
}

export class Variables extends EventTarget {
  #host;
  #lists;
  #variables = [];
  #values = {};
  #pickers = new Map();

  /** `lists` holds the names of departments and types, which the page brought along. */
  constructor(host, lists) {
    super();
    this.#host = host;
    this.#lists = lists;
    window.addEventListener("popstate", () => {
      this.#read();
      this.dispatchEvent(new Event("change"));
    });
  }

  get values() {
    return this.#values;
  }

  /** The devices that are chosen, by ID. */
  get devices() {
    return this.#variables.filter(({ kind }) => kind === "device").flatMap(({ name }) => this.#values[name] ?? []);
  }

  /** Other variables: pickers are made anew, what was chosen of those that stay remains. */
  use(variables) {
    this.#variables = variables;
    this.#pickers.clear();
    this.#host.replaceChildren();
    this.#host.hidden = !variables.length;
    for (const variable of variables) {
      const label = variable.title || variable.name;
      const host = element("div", { class: "ask-field is-wide", "data-picker": variable.name, "data-label": label, "data-placeholder": variable.all ? "All" : "Choose" });
      this.#host.append(host);
      this.#pickers.set(variable.name, new Picker(host, { ...this.#settings(variable), onChange: (values) => this.#choose(variable, values) }));
    }
    this.#read();
  }

  #settings(variable) {
    const titles = new Map(this.#lists.types);
    switch (variable.kind) {
      case "device": return { find: findDevices, titlesOf: deviceTitles, empty: "No matching devices" };
      case "department": return { find: among(this.#lists.departments.map((name) => [name, name])), empty: "No matching departments" };
      case "device_type": return { find: among(this.#lists.types), titlesOf: async (values) => values.map((value) => [value, titles.get(value) ?? value]) };
      case "metric": return { find: variable.choices.length ? among(variable.choices.map((name) => [name, name])) : findMetrics };
      default: return { find: (text, signal) => findLabelValues(text, variable, signal), isFree: true, empty: `No series has this label: ${variable.label}` };
    }
  }

  #read() {
    const query = new URLSearchParams(window.location.search);
    for (const { name, default: fallback } of this.#variables) {
      const key = parameterOf(name);
      // An empty value stands for all of them where the default is something.
      this.#values[name] = query.has(key) ? [...new Set(query.getAll(key))].filter(Boolean) : [...fallback];
      this.#pickers.get(name).set(this.#values[name]);
    }
  }

  #choose(variable, values) {
    const chosen = variable.multi ? values : values.slice(-1);
    this.#values[variable.name] = chosen;
    if (chosen.length !== values.length) this.#pickers.get(variable.name).set(chosen);
    const url = new URL(window.location.href);
    const key = parameterOf(variable.name);
    url.searchParams.delete(key);
    if (String(chosen) !== String(variable.default)) for (const value of chosen.length ? chosen : [""]) url.searchParams.append(key, value);
    window.history.pushState(null, "", url);
    this.dispatchEvent(new Event("change"));
  }
}

export { KIND_TITLES };
