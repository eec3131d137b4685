/** Ties htmx to the product: the CSRF header on each write, and a toast for what was done or failed. */

import htmx from "htmx.org";

import { csrfToken } from "./api.js";
import { showToast } from "./shell/toasts.js";

const SAFE_METHODS = new Set(["GET", "HEAD"]);

function failureText(ctx) {
  const fragment = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
  return fragment.querySelector("[data-toast]")?.textContent.trim() || `The server answered ${ctx.response.status}`;
}

/** Filters that are not set do not belong into the address. */
function leaveOutEmpty(body) {
  for (const [name, value] of [...(body ?? [])]) {
    if (value === "") body.delete(name);
  }
}

export function startHtmx() {
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    if (!SAFE_METHODS.has(ctx.request.method)) ctx.request.headers["X-CSRF-Token"] = csrfToken();
    else leaveOutEmpty(ctx.request.body);
  });
  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    // A form that was refused comes back with its errors in it.
    if (ctx.response.status === 422) return;
    if (ctx.response.status === 401) window.location.reload();
    else if (!ctx.sourceElement.hasAttribute("data-refresh-seconds")) showToast(failureText(ctx), "danger");
  });
  document.addEventListener("toast", ({ detail }) => showToast(detail.text));
  document.addEventListener("htmx:error", ({ detail }) => {
    const quiet = detail.ctx?.sourceElement?.hasAttribute("data-refresh-seconds");
    if (!quiet) showToast("The server cannot be reached", "danger");
  });
  return htmx;
}
