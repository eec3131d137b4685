/** What the command palette shows of an answer of the search. */

import { element, icon } from "../elements.js";

const ICONS = {
  device: "server", component: "cpu", address: "network", interface: "network", location: "map-pin", tag: "tag", rule: "bell",
  config: "table", note: "pencil", file: "archive",
};

export function option(href, sign, title, detail, id) {
  const text = element("span", { class: "palette-title" }, ...title);
  const note = element("span", { class: "palette-detail" }, ...detail);
  return element("a", { href, id: `palette-${id}`, role: "option", class: "palette-option", tabindex: "-1" }, sign, text, note);
}

/** A text with the words in it marked. */
export function marked(text, words) {
  const sought = words.filter(Boolean).map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/gu, "\\$&"));
  if (!sought.length) return [text];
  return text
    .split(new RegExp(`(${sought.join("|")})`, "giu"))
    .filter(Boolean)
    .map((part) => (sought.some((word) => new RegExp(`^${word}$`, "iu").test(part)) ? element("mark", {}, part) : part));
}

function signOf(hit) {
  if (hit.kind === "device") return element("span", { class: `status-mark is-${hit.status}`, "aria-hidden": "true" });
  return icon(ICONS[hit.kind] ?? "search");
}

export function hitOption(hit, query, place) {
  const words = query.split(/\s+/u);
  const found = hit.match ? [`${hit.field}: `, ...marked(hit.match, words), hit.detail ? " · " : ""] : [];
  const node = option(hit.href, signOf(hit), marked(hit.title, words), [...found, hit.detail], `hit-${place}`);
  node.append(element("span", { class: "palette-kind" }, hit.kind === "rule" ? "alert rule" : hit.kind));
  return node;
}

/** What is said below the results; nothing where everything is told. */
export function remark(answer) {
  if (answer.unfinished.length) return `Not searched completely: ${answer.unfinished.join(", ")}. Type more.`;
  return answer.is_cut ? "There are more matches. Type more to narrow them down." : "";
}
