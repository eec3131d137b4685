/** Stores a new dashboard or a changed one; where somebody else stored it in between, the author decides. */

import { getJson, postJson, sendJson } from "../api.js";
import { element } from "../elements.js";
import { showToast } from "../shell/toasts.js";

const HOME = "/api/v1/dashboards";
const pathOf = ({ slug }) => `${HOME}/${encodeURIComponent(slug)}`;

function choose(detail) {
  return new Promise((resolve) => {
    const options = [["copy", "Save mine as a copy", "btn btn-primary"], ["replace", "Replace theirs with mine", "btn btn-danger"], ["back", "Back to editing", "btn"]];
    const buttons = options.map(([value, text, css]) => element("button", { value, class: css }, text));
    const form = element("form", { method: "dialog", class: "dialog-body board-form" }, element("h2", {}, "Changed in the meantime"), element("p", {}, detail), element("div", { class: "cluster" }, ...buttons));
    const dialog = element("dialog", { class: "fk-dialog", "aria-label": "Changed in the meantime" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || "back");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Resolves to the dashboard as it is stored now, or to null when it is not stored; then a toast has said why. */
export async function save(saved, draft) {
  try {
    return await store(saved, draft);
  } catch (error) {
    const fields = Array.isArray(error.body?.errors) ? error.body.errors : [];
    showToast([error.message, ...fields.slice(0, 3).map(({ field, message }) => `${field}: ${message}`)].join(" · "), "danger");
    return null;
  }
}

async function store(saved, draft) {
  if (!saved.slug) return postJson(HOME, draft);
  try {
    return await sendJson("PUT", pathOf(saved), draft, { headers: { "If-Match": `"${saved.version}"` } });
  } catch (error) {
    if (error.status !== 412) throw error;
    return settle(saved, draft, error.message);
  }
}

async function settle(saved, draft, detail) {
  const choice = await choose(detail);
  if (choice === "back") return null;
  if (choice === "copy") {
    const copy = await postJson(HOME, { ...draft, name: `${draft.name.slice(0, 100)} (mine)`, visibility: "private", default_for: null });
    window.location.assign(`/dashboards/${encodeURIComponent(copy.slug)}`);
    return copy;
  }
  const theirs = await getJson(pathOf(saved));
  return store(theirs, draft);
}
