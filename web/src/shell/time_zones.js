/** Times in the browser's own zone, for readers whose account names none: the server sends them in UTC. */

import { toLocalInput } from "../time_zone.js";

const { timeZone } = Intl.DateTimeFormat().resolvedOptions();

function choose(select) {
  if (select.value !== "" || ![...select.options].some(({ value }) => value === timeZone)) return;
  for (const field of select.form.querySelectorAll('input[type="datetime-local"]')) {
    if (field.value) field.value = toLocalInput(Date.parse(`${field.value}Z`) / 1000).slice(0, 16);
  }
  select.value = timeZone;
}

function chooseAll() {
  for (const select of document.querySelectorAll("select[data-time-zones]")) choose(select);
  const page = document.querySelector("[data-zone-href]");
  if (page) window.location.replace(`${page.dataset.zoneHref}&zone=${encodeURIComponent(timeZone)}`);
}

export function startTimeZones() {
  chooseAll();
  document.addEventListener("htmx:after:swap", chooseAll);
}
