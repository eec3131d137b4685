/** The head of the device page says what the stream shows: a device that reports is online, and seen just now. */

import { element } from "../elements.js";
import { showTimes } from "../times.js";

export function showPresence(time) {
  const seen = document.querySelector("[data-last-seen]");
  seen.replaceChildren(element("time", { datetime: new Date(time * 1000).toISOString(), "data-time": "relative" }));
  showTimes(seen);
  const tag = document.querySelector("[data-status] .tag");
  if (tag.classList.contains("is-online")) return;
  const mark = element("span", { class: "status-mark is-online", "aria-hidden": "true" });
  tag.className = "tag is-online";
  tag.replaceChildren(mark, "Online");
}
