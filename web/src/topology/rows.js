/** The table beside the graph: each device with its relations in words, and what can be done with it. */

import { element } from "../elements.js";

const PASSIVE = { hosts: "runs on", powers: "powered by", manages: "managed by", backs_up: "backed up by", connects_to: "connects to" };
const ACTIVE = { hosts: "hosts", powers: "powers", manages: "manages", backs_up: "backs up", connects_to: "connects to" };
const MOST_NAMED = 8;

export function deviceRows(nodes, edges) {
  const names = new Map(nodes.map((node) => [node.id, node.name]));
  const relations = new Map(nodes.map((node) => [node.id, new Map()]));
  const add = (of, words, other) => {
    const known = relations.get(of);
    known.set(words, [...(known.get(words) ?? []), names.get(other)]);
  };
  for (const edge of edges) {
    add(edge.parent, ACTIVE[edge.type], edge.child);
    add(edge.child, PASSIVE[edge.type], edge.parent);
  }
  return nodes.map((node) => row(node, relations.get(node.id)));
}

function inWords(name) {
  if (name === "vm") return "Virtual machine";
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

function row(node, relations) {
  const words = [...relations].map(([words, others]) => {
    const more = others.length > MOST_NAMED ? `, and ${others.length - MOST_NAMED} more` : "";
    return `${words} ${others.slice(0, MOST_NAMED).join(", ")}${more}`;
  });
  const button = (act, text) =>
    element("button", { type: "button", class: "btn btn-sm", "data-act": act, "data-device": node.id, "aria-label": `${text}: ${node.name}` }, text);
  return element(
    "tr", {},
    element("td", {}, element("a", { href: `/devices/${encodeURIComponent(node.id)}` }, node.name)),
    element("td", {}, inWords(node.device_type)),
    element("td", {}, inWords(node.status)),
    element("td", {}, words.join("; ") || "–"),
    element("td", {}, button("fails", "What fails with it"), " ", button("expand", "Expand"), " ", button("from", "Path from here"), " ", button("to", "Path to here")),
  );
}
