/** Copy buttons: [data-copy="#id"] puts that element's text on the clipboard. */

import { showToast } from "./toasts.js";

async function copyText(node) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(node.textContent.trim());
    return;
  }
  // The clipboard needs a secure origin; on plain HTTP the reader gets the text selected instead.
  window.getSelection().selectAllChildren(node);
  throw new Error("no clipboard");
}

export function startClipboard() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await copyText(document.querySelector(button.dataset.copy));
      button.classList.add("is-copied");
      setTimeout(() => button.classList.remove("is-copied"), 1500);
    } catch {
      showToast("The text is selected: press Ctrl-C to copy it");
    }
  });
}
