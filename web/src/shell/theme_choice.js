/** Which theme the reader chose, and how it is put on the page. */

const KEY = "fleetkeeper-theme";
const ACCOUNT_KEY = "fleetkeeper-account-theme";
const THEMES = ["auto", "light", "dark"];
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

/** The button's choice in this browser, or the account's theme: whichever was chosen last. */
export function storedTheme() {
  const { accountTheme } = document.documentElement.dataset;
  if (THEMES.includes(accountTheme) && accountTheme !== localStorage.getItem(ACCOUNT_KEY)) {
    const isFirst = localStorage.getItem(ACCOUNT_KEY) === null && accountTheme === "auto";
    localStorage.setItem(ACCOUNT_KEY, accountTheme);
    if (!isFirst) localStorage.setItem(KEY, accountTheme);
  }
  const stored = localStorage.getItem(KEY);
  return THEMES.includes(stored) ? stored : "auto";
}

export function storeTheme(theme) {
  localStorage.setItem(KEY, theme);
}

export function nextTheme(theme) {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
}

export function applyTheme(theme) {
  const dark = theme === "dark" || (theme === "auto" && systemDark.matches);
  document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
  document.documentElement.dataset.themeChoice = theme;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", dark ? "#0b0f15" : "#f4f6f9");
  document.dispatchEvent(new CustomEvent("themechange"));
}

export function followSystem(listener) {
  systemDark.addEventListener("change", listener);
}
