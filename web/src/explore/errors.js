/** What is wrong with a question, field by field. */

import { element, icon } from "../elements.js";

const TITLES = {
  metric: "Metrics", agg: "Aggregate", across: "Across devices", by: "Group by", top: "Show", compare: "Compare with", step: "Step",
  device: "Devices", department: "Departments", device_type: "Types", from: "From", to: "To",
};

function line(title, text) {
  return element("p", { class: "field-error" }, icon("alert-circle"), element("span", {}, title ? element("b", {}, `${title}: `) : "", text));
}

function placeText({ place }) {
  return place ? ` (characters ${place[0] + 1} to ${place[1]})` : "";
}

/** Fills the place for errors; `control(name)` is the field of that name, if there is one. */
export function showErrors(host, error, control) {
  const fields = Array.isArray(error.body?.errors) ? error.body.errors : [];
  const lines = fields.map(({ field, message }) => {
    const name = field.split(".").at(-1);
    control(name)?.setAttribute("aria-invalid", "true");
    return line(TITLES[name] ?? name, message);
  });
  if (!lines.length) lines.push(line("", error.message.replace(/^invalid parameter "query": /, "") + placeText(error.body ?? {})));
  host.replaceChildren(...lines);
  host.hidden = false;
}
