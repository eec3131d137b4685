/** Asks before a dashboard is deleted, and says what follows. */

import { sendJson } from "../api.js";
import { clearProblems } from "./problems.js";
import { onSubmit } from "./submitting.js";

export function startDeleting() {
  const dialog = document.querySelector("#delete-dashboard");
  if (!dialog) return;
  const form = dialog.querySelector("[data-confirm-delete]");
  const errors = form.querySelector("[data-errors]");
  let slug = "";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-delete-dashboard]");
    if (!button) return;
    const { deleteDashboard, name, visibility, defaultFor } = button.dataset;
    slug = deleteDashboard;
    const forWhom = visibility === "everyone" ? "for everyone who uses it" : "for you";
    const instead = defaultFor ? ` Where it is the default (${defaultFor}), the built-in one stands again.` : "";
    form.querySelector("[data-consequence]").textContent = `“${name}” is gone ${forWhom}, and links to it end. This cannot be undone here: export it first to keep it as a file.${instead} No measurement is touched.`;
    clearProblems(errors);
    dialog.showModal();
  });
  onSubmit(form, async () => {
    await sendJson("DELETE", `/api/v1/dashboards/${encodeURIComponent(slug)}`);
    window.location.assign("/dashboards");
  });
}
