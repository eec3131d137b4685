/** The form of a whole dashboard: name, who sees it, what it stands for, the default range, variables. */

import { postJson } from "../api.js";
import { element, icon } from "../elements.js";
import { PRESETS } from "../time/time_range.js";
import { dialogForm } from "./dialog_form.js";
import { area, checkbox, field, input, select } from "./fields.js";
import { showProblems } from "./problems.js";
import { KIND_TITLES } from "./variables.js";

const REFRESH = [["0", "Never"], ["10", "Every 10 s"], ["30", "Every 30 s"], ["60", "Every minute"], ["300", "Every 5 minutes"]];
const MOST_VARIABLES = 10;

function variableForm(variable, onRemove) {
  const name = input(variable.name, { maxlength: 30, required: true, pattern: "[a-z][a-z0-9_]*", spellcheck: "false" });
  const title = input(variable.title, { maxlength: 120 });
  const kind = select(Object.entries(KIND_TITLES), variable.kind);
  const label = input(variable.label, { placeholder: "mountpoint", spellcheck: "false" });
  const metric = input(variable.metric, { placeholder: "Of all metrics", spellcheck: "false" });
  const choices = input(variable.choices.join(", "), { placeholder: "cpu_usage_percent, load_average_1m", spellcheck: "false" });
  const fallback = input(variable.default.join(", "), { placeholder: "All" });
  const [multi, multiToggle] = checkbox("Several at once", variable.multi);
  const [all, allToggle] = checkbox("“All” may be chosen", variable.all);
  const remove = element("button", { type: "button", class: "icon-button", "aria-label": "Remove the variable", title: "Remove" }, icon("trash"));
  remove.addEventListener("click", onRemove);
  const [labelField, metricField, choicesField] = [field("Label", label), field("Of the metric", metric), field("Metrics", choices, { css: "is-wide" })];
  const show = () => {
    labelField.hidden = metricField.hidden = kind.value !== "label";
    choicesField.hidden = kind.value !== "metric";
    if (kind.value === "metric") all.checked = false;
    allToggle.hidden = kind.value === "metric";
  };
  kind.addEventListener("change", show);
  show();
  const split = (text) => text.split(",").map((one) => one.trim()).filter(Boolean);
  const root = element(
    "fieldset", { class: "board-query" }, element("div", { class: "ask-row" }, field("Name in queries", name), field("Title", title), field("Chooses", kind), remove),
    element("div", { class: "ask-row" }, labelField, metricField, choicesField, field("Default", fallback, { css: "is-wide" })), element("div", { class: "ask-row" }, multiToggle, allToggle),
  );
  const read = () => ({
    name: name.value.trim(), title: title.value.trim(), kind: kind.value, label: kind.value === "label" ? label.value.trim() : "", metric: kind.value === "label" ? metric.value.trim() : "",
    choices: kind.value === "metric" ? split(choices.value) : [], default: split(fallback.value), multi: multi.checked, all: all.checked,
  });
  return { root, read };
}

/** Changes `draft` in place once all is right, then calls `onDone`. */
export function openSettings(draft, lists, onDone) {
  const { definition } = draft;
  const name = input(draft.name, { maxlength: 120, required: true });
  const description = area(draft.description, { maxlength: 500, rows: 2 });
  const seen = [["private", "Only you"], ...(lists.mayShare || draft.visibility === "everyone" ? [["everyone", "Everyone"]] : [])];
  const visibility = select(seen, draft.visibility);
  const standsFor = select([["", "Nothing"], ["fleet", "The fleet"], ...lists.types], draft.default_for ?? "");
  const standsField = field("Default for", standsFor, { hint: "Opened from the overview or a device's page instead of the built-in one; everyone must see it." });
  const range = select(PRESETS.map(([key, , title]) => [key, title]), definition.time.range);
  const refresh = select(REFRESH, definition.refresh);
  const host = element("div", { class: "board-queries" });
  let forms = [];
  const setVariables = (variables) => {
    forms = variables.map((one, place) => variableForm(one, () => setVariables(forms.filter((_, other) => other !== place).map((form) => form.read()))));
    host.replaceChildren(...forms.map(({ root }) => root));
    add.hidden = forms.length >= MOST_VARIABLES;
  };
  const add = element("button", { type: "button", class: "btn btn-sm" }, icon("plus"), "Add variable");
  add.addEventListener("click", () => setVariables([...forms.map((form) => form.read()), { name: "", title: "", kind: "device", label: "", metric: "", choices: [], default: [], multi: true, all: true }]));
  setVariables(definition.variables);
  const showStands = () => {
    standsField.hidden = visibility.value !== "everyone" || !lists.mayShare;
  };
  visibility.addEventListener("change", showStands);
  showStands();
  const form = dialogForm("Dashboard", element(
    "div", { class: "board-fields" },
    element("div", { class: "ask-row" }, field("Name", name, { css: "is-wide" }), field("Visible to", visibility), standsField), field("Description", description, { css: "is-whole" }),
    element("div", { class: "ask-row" }, field("Default range", range), field("Refresh", refresh)),
    element("h3", {}, "Variables"), host, element("div", {}, add),
  ));
  const dialog = element("dialog", { class: "fk-dialog board-dialog", "aria-label": "Dashboard" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const changed = { ...definition, time: { range: range.value }, refresh: Number(refresh.value), variables: forms.map((one) => one.read()) };
    try {
      await postJson("/api/v1/dashboards/check", { definition: changed });
    } catch (error) {
      showProblems(form.querySelector("[data-errors]"), error);
      return;
    }
    Object.assign(definition, changed);
    Object.assign(draft, { name: name.value.trim(), description: description.value.trim(), visibility: visibility.value, default_for: visibility.value === "everyone" ? standsFor.value || null : null });
    dialog.close();
    onDone();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
