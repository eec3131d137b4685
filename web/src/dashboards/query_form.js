/** One query of a panel in the editor: a question over the fleet, or PromQL. */

import { newFilter, newPromqlQuery, newQuery } from "../charts/panel.js";
import { element, icon } from "../elements.js";
import { among, catalogue, deviceTitles, findDevices, findGroups, findMetrics, groupTitles } from "../explore/choices.js";
import { Picker } from "../explore/picker.js";
import { PromqlBox } from "../explore/promql_box.js";
import { checkbox, field, input, pickerHost, select } from "./fields.js";

const AGGREGATES = [
  ["avg", "Mean"], ["min", "Minimum"], ["max", "Maximum"], ["sum", "Sum"], ["count", "Count of samples"], ["last", "Last"], ["rate", "Rate per second"],
  ["increase", "Increase"], ["p50", "Median (p50)"], ["p90", "p90"], ["p95", "p95"], ["p99", "p99"],
];
const ACROSS = [
  ["", "Pool all samples"], ["avg", "Mean of devices"], ["min", "Lowest device"], ["max", "Highest device"], ["sum", "Sum of devices"],
  ["count", "Count of devices"], ["p50", "Median device (p50)"], ["p90", "p90 of devices"], ["p95", "p95 of devices"], ["p99", "p99 of devices"],
];
const TOPS = [["", "All"], ["1", "Top 1"], ["5", "Top 5"], ["10", "Top 10"], ["20", "Top 20"], ["50", "Top 50"], ["100", "Top 100"]];
const COMPARES = [["", "Nothing"], ["1h", "An hour ago"], ["1d", "A day ago"], ["1w", "A week ago"]];
const STEPS = [["", "Automatic"], ["10", "10 s"], ["60", "1 min"], ["300", "5 min"], ["900", "15 min"], ["3600", "1 hour"], ["86400", "1 day"]];

/** "mountpoint = /, $mount" line by line. */
const labelsText = (labels) => Object.entries(labels).map(([name, values]) => `${name} = ${values.join(", ")}`).join("\n");

function labelsOf(text) {
  const found = {};
  for (const line of text.split("\n").filter((one) => one.trim())) {
    const [name, rest = ""] = [line.split("=", 1)[0].trim(), line.slice(line.indexOf("=") + 1)];
    found[name] = line.includes("=") ? rest.split(",").map((value) => value.trim()).filter(Boolean) : [];
  }
  return found;
}

export class QueryForm {
  root;
  #query;
  #variables;
  #lists;
  #onChange;
  #read = () => this.#query;

  constructor(query, place, { variables, lists, onChange, onRemove }) {
    [this.#query, this.#variables, this.#lists, this.#onChange] = [structuredClone(query), variables, lists, onChange];
    this.root = element("fieldset", { class: "board-query", "data-at": `queries[${place}]` });
    this.#draw(place, onRemove);
    this.root.addEventListener("change", () => this.#onChange());
  }

  get value() {
    return this.#read();
  }

  #draw(place, onRemove) {
    const language = select([["fleet", "Metrics"], ["promql", "PromQL"]], this.#query.language);
    language.setAttribute("aria-label", `Language of query ${place + 1}`);
    language.addEventListener("change", () => {
      const { legend, filter } = this.#read();
      this.#query = language.value === "promql"
        ? newPromqlQuery({ query: "avg by (instance) (cpu_usage_percent)", legend, filter: { ...filter, labels: {} } })
        : newQuery({ legend, filter });
      this.#draw(place, onRemove);
      this.#onChange();
    });
    const remove = element("button", { type: "button", class: "icon-button", "aria-label": `Remove query ${place + 1}`, title: "Remove the query" }, icon("trash"));
    remove.addEventListener("click", onRemove);
    const parts = this.#query.language === "promql" ? this.#promql(place) : this.#fleet(place);
    this.root.replaceChildren(element("div", { class: "board-query-head" }, element("b", {}, `Query ${place + 1}`), language, remove), ...parts);
  }

  /** A picker which offers the variables of its kind beside the values. */
  #picker(name, label, placeholder, kind, values, settings) {
    const host = pickerHost(name, label, placeholder);
    const own = this.#variables.filter((one) => one.kind === kind).map((one) => ({ value: `$${one.name}`, title: `$${one.name}`, note: "variable", detail: one.title }));
    const find = async (text, signal) => {
      const fitting = own.filter(({ title }) => title.includes(text.toLowerCase()));
      return [...fitting, ...await settings.find(text, signal)];
    };
    let chosen = values;
    const picker = new Picker(host, {
      ...settings, find,
      titlesOf: settings.titlesOf && (async (all) => settings.titlesOf(all.filter((value) => !value.startsWith("$")))),
      onChange: (now) => {
        chosen = now;
        this.#onChange();
      },
    });
    picker.set(values);
    return [host, () => chosen];
  }

  #filters(filter) {
    const titles = new Map(this.#lists.types);
    const devices = this.#picker("filter.device", "Devices", "All devices", "device", filter.device, { find: findDevices, titlesOf: deviceTitles });
    const departments = this.#picker("filter.department", "Departments", "All departments", "department", filter.department, { find: among(this.#lists.departments.map((name) => [name, name])) });
    const types = this.#picker("filter.device_type", "Types", "All types", "device_type", filter.device_type, { find: among(this.#lists.types), titlesOf: async (all) => all.map((value) => [value, titles.get(value) ?? value]) });
    const read = () => ({ ...newFilter(), device: devices[1](), department: departments[1](), device_type: types[1]() });
    return [element("div", { class: "ask-row" }, devices[0], departments[0], types[0]), read];
  }

  #fleet(place) {
    const query = this.#query;
    const metrics = this.#picker("metrics", "Metrics", "Type a name, such as cpu", "metric", query.metrics, { find: findMetrics, isFree: true });
    const by = this.#picker("by", "Group by", "No grouping", "", query.by, { find: (text) => findGroups(text, metrics[1]().filter((one) => !one.startsWith("$"))), titlesOf: groupTitles });
    const [agg, across, top] = [select(AGGREGATES, query.agg), select(ACROSS, query.across ?? ""), select(TOPS, query.top ?? "")];
    const [compare, step] = [select(COMPARES, query.compare ?? ""), select(STEPS, query.step ?? "")];
    const legend = input(query.legend, { maxlength: 120, placeholder: "By itself" });
    const labels = element("textarea", { class: "form-control", rows: 2, spellcheck: "false", placeholder: "mountpoint = /, /home" });
    labels.value = labelsText(query.filter.labels);
    const [instant, toggle] = checkbox("Instant", query.instant);
    const [filters, readFilters] = this.#filters(query.filter);
    this.#read = () => ({
      language: "fleet", metrics: metrics[1](), by: by[1](), agg: agg.value, across: across.value || null, top: top.value ? Number(top.value) : null, step: step.value || null,
      instant: instant.checked, compare: compare.value || null, legend: legend.value.trim(), filter: { ...readFilters(), labels: labelsOf(labels.value) },
    });
    return [
      element("div", { class: "ask-row" }, metrics[0], by[0]),
      element("div", { class: "ask-row" }, field("Aggregate", agg, { at: "agg" }), field("Across devices", across, { at: "across" }), field("Show", top, { at: "top" }), field("Compare with", compare, { at: "compare" }), field("Step", step, { at: "step" }), field("Name in the legend", legend, { at: "legend" }), toggle),
      filters,
      field("Only labels", labels, { css: "is-whole", at: "filter.labels", hint: "One label a line, its values separated by commas; $name is a variable." }),
    ];
  }

  #promql(place) {
    const query = this.#query;
    const id = `board-promql-${place}`;
    const text = element("textarea", { class: "form-control", id, rows: 3, spellcheck: "false", autocapitalize: "off", autocomplete: "off", "data-promql": true });
    const mirror = element("div", { class: "promql-mirror", "aria-hidden": "true", "data-promql-mirror": true });
    const list = element("div", { class: "picker-options", role: "listbox", "aria-label": "Completions", hidden: true });
    const wrap = element("div", { class: "promql-box" }, mirror, text, list);
    const box = new PromqlBox(wrap, { functions: this.#lists.functions, metrics: catalogue, onRun: () => this.#onChange() });
    box.value = query.query;
    const legend = input(query.legend, { maxlength: 120, placeholder: "By itself" });
    const step = select(STEPS, query.step ?? "");
    const [instant, toggle] = checkbox("Instant", query.instant);
    const [filters, readFilters] = this.#filters(query.filter);
    this.#read = () => ({ language: "promql", query: text.value.trim(), instant: instant.checked, step: step.value ? Number(step.value) : null, legend: legend.value.trim(), filter: readFilters() });
    const hint = 'A variable of labels stands in a matcher: mountpoint=~"$mountpoint". Devices, departments and types are chosen below.';
    return [
      element("div", { class: "ask-field is-whole", "data-at": "query" }, element("label", { class: "form-label", for: id }, "Query"), wrap, element("p", { class: "form-hint" }, hint)),
      element("div", { class: "ask-row" }, field("Name in the legend", legend, { at: "legend" }), field("Step", step, { at: "step" }), toggle),
      filters,
    ];
  }
}
