/** Ctrl-K: jump to a device by name, or to a page. */

import { getJson } from "../api.js";
import { element, icon } from "../elements.js";

const DEVICES_URL = "/api/v1/devices";
const TYPING_PAUSE_MS = 120;

let chosen = 0;
let pending;
let timer;

const palette = () => document.getElementById("palette");
const input = () => palette().querySelector("input");
const list = () => palette().querySelector("[role=listbox]");
const options = () => [...list().querySelectorAll("[role=option]")];

function choose(index) {
  const all = options();
  chosen = all.length ? (index + all.length) % all.length : 0;
  all.forEach((option, place) => option.setAttribute("aria-selected", String(place === chosen)));
  if (all[chosen]) {
    all[chosen].scrollIntoView({ block: "nearest" });
    input().setAttribute("aria-activedescendant", all[chosen].id);
  }
}

function option(href, sign, title, detail, id) {
  const text = element("span", { class: "palette-title" }, title);
  const note = element("span", { class: "palette-detail" }, detail);
  return element("a", { href, id: `palette-${id}`, role: "option", class: "palette-option", tabindex: "-1" }, sign, text, note);
}

function pageOptions(query) {
  return [...document.querySelectorAll("[data-nav-page]")]
    .filter((link) => link.dataset.navPage.toLowerCase().includes(query.toLowerCase()))
    .map((link, place) => option(link.href, icon(link.dataset.navIcon), link.dataset.navPage, "Page", `page-${place}`));
}

function deviceOptions(devices) {
  return devices.map((device) => {
    const dot = element("span", { class: `status-mark is-${device.status}`, "aria-hidden": "true" });
    const detail = [device.status, device.os_name].filter(Boolean).join(" · ");
    return option(`/devices/${encodeURIComponent(device.id)}`, dot, device.name, detail, device.id);
  });
}

function show(nodes, emptyText) {
  list().replaceChildren(...(nodes.length ? nodes : [element("p", { class: "palette-empty" }, emptyText)]));
  choose(0);
}

async function search(query) {
  pending?.abort();
  pending = new AbortController();
  const pages = pageOptions(query);
  if (!query) {
    show(pages, "");
    return;
  }
  try {
    const answer = await getJson(DEVICES_URL, [["q", query], ["limit", "10"]], pending.signal);
    show([...deviceOptions(answer.results), ...pages], "No device or page has that name");
  } catch (error) {
    if (error.name !== "AbortError") show(pages, error.message);
  }
}

function open() {
  if (!palette() || palette().open) return;
  input().value = "";
  search("");
  palette().showModal();
}

function onKey(event) {
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen - 1);
  else if (event.key === "Enter") options()[chosen]?.click();
  else return;
  event.preventDefault();
}

export function startCommandPalette() {
  if (!palette()) return;
  input().addEventListener("keydown", onKey);
  input().addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search(input().value.trim()), TYPING_PAUSE_MS);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-palette]")) open();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    open();
  });
}
