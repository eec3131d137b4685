/** What is asked and how it is shown; all of it stands in the page's address. */

const one = (fallback, allowed) => ({ fallback, allowed });
const many = (fallback = []) => ({ fallback, isList: true });

const FIELDS = {
  mode: one("metrics", ["metrics", "promql"]),
  metric: many(),
  // Nothing is what fits the metrics: the rate of counters, the mean of the rest.
  agg: one(""),
  across: one(""),
  by: many(["device"]),
  top: one("20"),
  compare: one(""),
  step: one(""),
  device: many(),
  department: many(),
  device_type: many(),
  query: one(""),
  kind: one("range", ["range", "instant"]),
  pstep: one(""),
  view: one("graph", ["graph", "table"]),
  sort: one("-mean"),
  refresh: one("off", ["off", "10", "60"]),
};

const same = (a, b) => String(a) === String(b) && a.length === b.length;

const bare = (metric) => metric.split("{")[0];

export class ExploreState extends EventTarget {
  #values = {};
  #counters = new Set();

  constructor() {
    super();
    this.#read();
    window.addEventListener("popstate", () => {
      this.#read();
      this.dispatchEvent(new Event("change"));
    });
  }

  #read() {
    const query = new URLSearchParams(window.location.search);
    for (const [name, { fallback, allowed, isList }] of Object.entries(FIELDS)) {
      if (isList) {
        // An empty value stands for "none" where the fallback is something.
        this.#values[name] = query.has(name) ? [...new Set(query.getAll(name))].filter(Boolean) : fallback;
      } else {
        const value = query.get(name) ?? fallback;
        this.#values[name] = allowed && !allowed.includes(value) ? fallback : value;
      }
    }
  }

  get(name) {
    if (name === "agg" && !this.#values.agg) return this.#areCounters() ? "rate" : "avg";
    return this.#values[name];
  }

  /** Counters whose name does not say so, as the catalogue knows them. */
  knowCounters(names) {
    const before = this.get("agg");
    this.#counters = new Set(names);
    if (this.get("agg") !== before) this.dispatchEvent(new Event("change"));
  }

  #areCounters() {
    const names = this.#values.metric.map(bare);
    return names.length > 0 && names.every((name) => name.endsWith("_total") || this.#counters.has(name));
  }

  /** Changes some values, which makes an entry of the browser's history, and tells who listens. */
  set(changes) {
    const changed = Object.entries(changes).filter(([name, value]) => !same(this.#values[name], value));
    if (!changed.length) return;
    Object.assign(this.#values, Object.fromEntries(changed));
    const url = new URL(window.location.href);
    for (const [name, { fallback, isList }] of Object.entries(FIELDS)) {
      const value = this.#values[name];
      url.searchParams.delete(name);
      if (same(value, fallback)) continue;
      if (!isList) url.searchParams.set(name, value);
      else for (const item of value.length ? value : [""]) url.searchParams.append(name, item);
    }
    window.history.pushState(null, "", url);
    this.dispatchEvent(new Event("change"));
  }
}

/** Whether there is something to ask. */
export function hasQuestion(state) {
  return state.get("mode") === "promql" ? Boolean(state.get("query")) : state.get("metric").length > 0;
}
