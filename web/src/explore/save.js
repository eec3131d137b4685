/** "Save to dashboard": what is asked becomes a panel of a dashboard that is there, or of a new one. */

import { getJson, postJson, sendJson } from "../api.js";
import { showProblems } from "../dashboards/problems.js";
import { onSubmit } from "../dashboards/submitting.js";
import { timeRange } from "../time/time_range.js";
import { panelOf } from "./panel.js";
import { hasQuestion } from "./state.js";

const HOME = "/api/v1/dashboards";
const MOST_LISTED = "200";

function emptyDefinition() {
  const range = timeRange.preset ?? "1h";
  return { version: 1, time: { range }, variables: [], rows: [] };
}

async function store(values, panel) {
  if (!values.dashboard) {
    const definition = { ...emptyDefinition(), rows: [{ title: "", panels: [panel] }] };
    return postJson(HOME, { name: values.name, definition });
  }
  const path = `${HOME}/${encodeURIComponent(values.dashboard)}`;
  const { name, description, visibility, default_for: standsFor, version, definition } = await getJson(path);
  const rows = definition.rows.length ? definition.rows : [{ title: "", panels: [] }];
  rows.at(-1).panels.push(panel);
  const body = { name, description, visibility, default_for: standsFor, definition: { ...definition, rows } };
  return sendJson("PUT", path, body, { headers: { "If-Match": `"${version}"` } });
}

export function startSaving(root, state) {
  const button = root.querySelector("[data-save-panel]");
  const dialog = document.querySelector("#save-panel");
  if (!button || !dialog) return;
  const form = dialog.querySelector("form");
  const { dashboard, name, title, kind } = form.elements;
  const errors = form.querySelector("[data-errors]");
  const show = () => {
    button.disabled = !hasQuestion(state);
  };
  const showName = () => {
    form.querySelector("[data-new-name]").hidden = dashboard.value !== "";
    name.required = dashboard.value === "";
  };
  state.addEventListener("change", show);
  show();
  dashboard.addEventListener("change", showName);
  button.addEventListener("click", async () => {
    errors.hidden = true;
    ({ title: title.value, kind: kind.value } = panelOf(state));
    dialog.showModal();
    try {
      const { results } = await getJson(HOME, [["limit", MOST_LISTED], ["ordering", "name"]]);
      const chosen = dashboard.value;
      const own = results.filter((one) => one.may_change).map((one) => new Option(one.name, one.slug));
      dashboard.replaceChildren(new Option("A new dashboard", ""), ...own);
      dashboard.value = own.some(({ value }) => value === chosen) ? chosen : "";
      showName();
    } catch (error) {
      showProblems(errors, error);
    }
  });
  onSubmit(form, async () => {
    const panel = { ...panelOf(state), title: title.value.trim(), kind: kind.value };
    const saved = await store({ dashboard: dashboard.value, name: name.value.trim() }, panel);
    const range = timeRange.preset ? `?range=${timeRange.preset}` : `?${new URLSearchParams(["from", "to"].map((one, place) => [one, Math.round(timeRange.bounds()[place])]))}`;
    window.location.assign(`/dashboards/${encodeURIComponent(saved.slug)}${range}`);
  });
}
