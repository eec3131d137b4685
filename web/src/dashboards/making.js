/** New dashboards: empty ones, and those out of files. */

import { postJson } from "../api.js";
import { clearProblems } from "./problems.js";
import { onSubmit } from "./submitting.js";

const HOME = "/api/v1/dashboards";
const open = ({ slug }, query = "") => window.location.assign(`/dashboards/${encodeURIComponent(slug)}${query}`);

export function emptyDefinition() {
  return { version: 1, rows: [{ title: "", panels: [] }], variables: [{ name: "device", title: "Device", kind: "device" }] };
}

export function startNew(form) {
  if (!form) return;
  onSubmit(form, async () => {
    const { name, visibility } = Object.fromEntries(new FormData(form));
    open(await postJson(HOME, { name, visibility, definition: emptyDefinition() }), "?edit=1");
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${error.message}`);
  }
}

export function startImport(form) {
  if (!form) return;
  const text = form.querySelector("textarea");
  form.querySelector("input[type=file]").addEventListener("change", async ({ target }) => {
    if (target.files[0]) text.value = await target.files[0].text();
    clearProblems(form.querySelector("[data-errors]"));
  });
  onSubmit(form, async () => {
    const document = parsed(text.value);
    open(await postJson(`${HOME}/import`, { ...document, replace: form.elements.replace.checked }));
  });
}
