/** The sign-in pages: passkeys instead of a password, or as the second step. */

import { failureText, knowsPasskeys, usePasskey } from "./account/webauthn.js";
import { postJson } from "./api.js";

async function signIn(button, note) {
  note.hidden = true;
  button.disabled = true;
  try {
    const { public_key: options } = await postJson("/api/v1/sign-in/passkey/options");
    await postJson("/api/v1/sign-in/passkey", { credential: await usePasskey(options) });
    window.location.assign(button.dataset.next);
  } catch (error) {
    note.textContent = failureText(error);
    note.hidden = false;
    button.disabled = false;
  }
}

const button = document.querySelector("[data-passkey]");
if (button && knowsPasskeys()) {
  const note = document.querySelector("[data-passkey-error]");
  button.hidden = false;
  button.addEventListener("click", () => signIn(button, note));
}
