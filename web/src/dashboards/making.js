/** New dashboards: empty ones, and those out of files. */

import { postJson } from "../api.js";
import { clearProblems, showProblems } from "./problems.js";

const HOME = "/api/v1/dashboards";
const open = ({ slug }, query = "") => window.location.assign(`/dashboards/${encodeURIComponent(slug)}${query}`);

export function emptyDefinition() {
  return { version: 1, rows: [{ title: "", panels: [] }], variables: [{ name: "device", title: "Device", kind: "device" }] };
}

export function startNew(form) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { name, visibility } = Object.fromEntries(new FormData(form));
    try {
      open(await postJson(HOME, { name, visibility, definition: emptyDefinition() }), "?edit=1");
    } catch (error) {
      showProblems(form.querySelector("[data-errors]"), error);
    }
  });
}

export function startImport(form) {
  if (!form) return;
  const text = form.querySelector("textarea");
  const errors = form.querySelector("[data-errors]");
  form.querySelector("input[type=file]").addEventListener("change", async ({ target }) => {
    if (target.files[0]) text.value = await target.files[0].text();
    clearProblems(errors);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const document = JSON.parse(text.value);
      open(await postJson(`${HOME}/import`, { ...document, replace: form.elements.replace.checked }));
    } catch (error) {
      showProblems(errors, error instanceof SyntaxError ? new Error(`This is no JSON: ${error.message}`) : error);
    }
  });
}
