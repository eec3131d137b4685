/** Single-key shortcuts: `?` for the list of them, `/` for the search field, `g` then a letter for a page. */

const SEQUENCE_MS = 1200;

export function isTyping(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  return Boolean(event.target.closest?.("input, select, textarea, [contenteditable]"));
}

export function startShortcuts() {
  let goUntil = 0;
  document.addEventListener("keydown", (event) => {
    if (isTyping(event) || document.querySelector("dialog[open]")) return;
    if (Date.now() < goUntil) {
      goUntil = 0;
      const link = document.querySelector(`[data-go-key="${CSS.escape(event.key)}"]`);
      if (link) window.location.assign(link.href);
      return;
    }
    if (event.key === "g") goUntil = Date.now() + SEQUENCE_MS;
    if (event.key === "?") document.getElementById("shortcuts")?.showModal();
    if (event.key === "/") {
      const field = document.querySelector("[data-search-field]");
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select();
    }
  });
}
