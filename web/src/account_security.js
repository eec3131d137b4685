/** The page on which people protect their account: adding a passkey, and confirming with one. */

import htmx from "htmx.org";

import { failureText, knowsPasskeys, makePasskey, usePasskey } from "./account/webauthn.js";
import { postJson } from "./api.js";
import { showTimes } from "./times.js";

async function addPasskey(form) {
  const { public_key: options } = await postJson("/api/v1/account/passkeys/options");
  const credential = await makePasskey(options);
  const name = form.elements.name.value;
  return postJson("/api/v1/account/passkeys", { name, credential });
}

async function confirmWithPasskey() {
  const { public_key: options } = await postJson("/api/v1/account/confirmation/passkey-options");
  await postJson("/api/v1/account/confirmation", { credential: await usePasskey(options) });
}

function showCodes(codes) {
  const template = document.querySelector("#passkey-codes");
  const card = template.content.cloneNode(true);
  card.querySelector("code").textContent = codes.join("\n");
  document.querySelector("#security").prepend(card);
  document.querySelector("#new-codes").scrollIntoView();
}

async function attempt(control, action) {
  const note = control.closest("form").querySelector("[data-passkey-error]");
  note.hidden = true;
  control.disabled = true;
  try {
    if (!knowsPasskeys()) throw new Error("This browser knows no passkeys, or the connection is not secure.");
    await action();
  } catch (error) {
    note.textContent = failureText(error);
    note.hidden = false;
  } finally {
    control.disabled = false;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-passkey-enrolment]");
  if (!form) return;
  event.preventDefault();
  attempt(form.querySelector("button"), async () => {
    const { recovery_codes: codes } = await addPasskey(form);
    const answer = await fetch("/account/security", {
      headers: { "HX-Request": "true", "HX-Request-Type": "partial" },
    });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#security");
    // Codes of a factor that was added just before are not shown again: they stay until the page is left.
    const shown = document.querySelector("#new-codes");
    document.querySelector("#security").replaceWith(fresh);
    if (shown) fresh.prepend(shown);
    htmx.process(fresh);
    showTimes(fresh);
    if (codes.length > 0) showCodes(codes);
  });
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-passkey-confirm]");
  if (!button) return;
  attempt(button, async () => {
    await confirmWithPasskey();
    window.location.reload();
  });
});
