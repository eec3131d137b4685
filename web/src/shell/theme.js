/** The theme button: automatic, light, dark, and round again. */

import { applyTheme, followSystem, nextTheme, storeTheme, storedTheme } from "./theme_choice.js";

function describe(theme) {
  for (const button of document.querySelectorAll("[data-theme-button]")) {
    const text = `Theme: ${theme === "auto" ? "as the system" : theme}`;
    button.setAttribute("aria-label", text);
    button.title = text;
  }
}

export function startTheme() {
  describe(storedTheme());
  followSystem(() => applyTheme(storedTheme()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-button]")) return;
    const theme = nextTheme(storedTheme());
    storeTheme(theme);
    applyTheme(theme);
    describe(theme);
  });
}
