/** Ctrl-K: jump to a page, or to a device by its name, address or serial number. */

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

/** The pages that the navigation is made of, by title, heading or another word for them. */
function pageOptions(query) {
  const words = query.toLowerCase().split(/\s+/u);
  return [...document.getElementById("palette-pages").content.querySelectorAll("a")]
    .map((link) => ({ link, title: link.textContent, group: link.dataset.group }))
    .filter(({ link, title, group }) => {
      const text = `${title} ${group} ${link.dataset.words}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((one, other) => rank(other.title, query) - rank(one.title, query))
    .map(({ link, title, group }, place) =>
      option(link.getAttribute("href"), icon(link.dataset.icon), title, group || "Page", `page-${place}`),
    );
}

/** A title that has the text before one that is found by another word. */
const rank = (title, query) => Number(title.toLowerCase().includes(query.toLowerCase()));

const bare = (text) => text.toLowerCase().replaceAll(/[:.-]/gu, "");

/** The address or serial number by which a device was found, where its name does not show why. */
function foundBy(device, query) {
  if (device.name.toLowerCase().includes(query.toLowerCase())) return "";
  const known = (device.interfaces ?? []).flatMap((one) => [one.mac_address, ...(one.ip_addresses ?? [])]);
  return [device.serial_number, ...known].find((text) => text && bare(text).includes(bare(query))) ?? "";
}

function deviceOptions(devices, query) {
  return devices.map((device) => {
    const dot = element("span", { class: `status-mark is-${device.status}`, "aria-hidden": "true" });
    const detail = [foundBy(device, query), device.status, device.os_name].filter(Boolean).join(" · ");
    return option(`/devices/${encodeURIComponent(device.id)}`, dot, device.name, detail, device.id);
  });
}

function show(nodes, emptyText) {
  list().replaceChildren(...(nodes.length ? nodes : [element("p", { class: "palette-empty" }, emptyText)]));
  choose(0);
}

/** Devices of exactly that name first: many others may have it in theirs. */
async function findDevices(query, signal) {
  const ask = (name, limit) => getJson(DEVICES_URL, [[name, query], ["limit", limit]], signal);
  const [named, found] = await Promise.all([ask("name", "5"), ask("q", "10")]);
  const first = new Set(named.results.map(({ id }) => id));
  return [...named.results, ...found.results.filter(({ id }) => !first.has(id))].slice(0, 10);
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
    const devices = await findDevices(query, pending.signal);
    show([...deviceOptions(devices, query), ...pages], "No page or device matches");
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
