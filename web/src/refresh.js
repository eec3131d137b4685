/** Keeps server-rendered parts fresh: sends `refresh` to [data-refresh-seconds] while the page is looked at. */

const TICK_MS = 1000;

function isDue(node, now) {
  const last = Number(node.dataset.refreshedAt ?? 0);
  if (!last) {
    node.dataset.refreshedAt = String(now);
    return false;
  }
  return now - last >= Number(node.dataset.refreshSeconds) * 1000;
}

/** Whether somebody is at work in it: an open menu, a field, ticked rows. */
function isInUse(node) {
  const field = node.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  return field || node.querySelector("details[open], [data-select]:checked") !== null;
}

export function startRefresh() {
  setInterval(() => {
    if (document.hidden) return;
    const now = Date.now();
    for (const node of document.querySelectorAll("[data-refresh-seconds]")) {
      if (!isDue(node, now) || isInUse(node)) continue;
      node.dataset.refreshedAt = String(now);
      node.dispatchEvent(new CustomEvent("refresh"));
    }
  }, TICK_MS);
}
