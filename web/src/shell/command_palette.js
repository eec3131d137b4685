/** Ctrl-K: jump to a page, or to anything that the search finds. */

import { getJson } from "../api.js";
import { element, icon } from "../elements.js";
import { hitOption, option, remark } from "./palette_results.js";

const SEARCH_URL = "/api/v1/search";
const TYPING_PAUSE_MS = 120;
// What is exactly what was typed, or begins so, stands before the pages.
const GOOD_SCORE = 0.75;

let chosen = 0;
let pending;
let timer;
// Enter before the answer is there opens the first result once it is.
let isAwaited = false;

const palette = () => document.getElementById("palette");
const input = () => palette().querySelector("input");
const list = () => palette().querySelector("[role=listbox]");
const state = () => palette().querySelector("[role=status]");
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
      option(link.getAttribute("href"), icon(link.dataset.icon), [title], [group || "Page"], `page-${place}`),
    );
}

/** A title that has the text before one that is found by another word. */
const rank = (title, query) => Number(title.toLowerCase().includes(query.toLowerCase()));

function show(nodes, emptyText) {
  list().replaceChildren(...(nodes.length ? nodes : [element("p", { class: "palette-empty" }, emptyText)]));
  list().scrollTop = 0;
  choose(0);
}

function say(text) {
  state().textContent = text;
  state().hidden = !text;
}

function showAnswer(answer, pages, query) {
  const hits = answer.results.map((hit, place) => ({ node: hitOption(hit, query, place), isGood: hit.score >= GOOD_SCORE }));
  const good = hits.filter(({ isGood }) => isGood).map(({ node }) => node);
  const others = hits.filter(({ isGood }) => !isGood).map(({ node }) => node);
  show([...good, ...pages, ...others], "No results. Try part of a name, a serial number, an address or a word from a note.");
  say(remark(answer));
}

async function search(query) {
  pending?.abort();
  const own = new AbortController();
  pending = own;
  const pages = pageOptions(query);
  if (!query) {
    pending = undefined;
    show(pages, "");
    say("");
    return;
  }
  say("Searching…");
  try {
    showAnswer(await getJson(SEARCH_URL, [["q", query.slice(0, 200)], ["limit", "20"]], own.signal), pages, query);
  } catch (error) {
    if (error.name === "AbortError") return;
    show(pages, "The search failed.");
    say(error.message);
  }
  if (pending !== own) return;
  pending = undefined;
  if (isAwaited) options()[0]?.click();
  isAwaited = false;
}

function open() {
  if (!palette() || palette().open) return;
  input().value = "";
  isAwaited = false;
  search("");
  palette().showModal();
}

function onKey(event) {
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen - 1);
  else if (event.key === "Enter" && (timer || pending)) isAwaited = true;
  else if (event.key === "Enter") options()[chosen]?.click();
  else return;
  event.preventDefault();
}

export function startCommandPalette() {
  if (!palette()) return;
  input().addEventListener("keydown", onKey);
  input().addEventListener("input", () => {
    isAwaited = false;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      search(input().value.trim());
    }, TYPING_PAUSE_MS);
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
