/** Forms that send files, one after the other, and show how far each is. */

import { csrfToken } from "../api.js";
import { element } from "../elements.js";

export function startUploads() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-upload]");
    if (!form) return;
    event.preventDefault();
    sendAll(form);
  });
}

async function sendAll(form) {
  const files = [...form.querySelector("input[type=file]").files];
  const button = form.querySelector("button");
  const lines = form.querySelector("[data-uploads]");
  lines.replaceChildren();
  button.disabled = true;
  let failed = 0;
  let made;
  for (const file of files) {
    const line = lineOf(file);
    lines.append(line.item);
    try {
      made = await send(form, file, line);
      line.say("Added", "is-good");
    } catch (error) {
      failed += 1;
      line.say(error.message, "is-bad");
    }
  }
  button.disabled = false;
  // What failed stays in sight.
  if (failed) return;
  const { pages } = form.dataset;
  if (pages && files.length === 1 && made.id) location.assign(`${pages}/${made.id}`);
  else location.reload();
}

function lineOf(file) {
  const bar = element("progress", { max: 1, value: 0, "aria-label": `Progress of ${file.name}` });
  const state = element("span", { class: "is-soft" });
  const item = element("li", {}, element("b", {}, file.name), bar, state);
  return {
    item,
    progress: (share) => (bar.value = share),
    say(text, kind) {
      bar.remove();
      state.className = `tag ${kind}`;
      state.textContent = text;
    },
  };
}

/** `fetch` does not tell how much has been sent. */
function send(form, file, line) {
  const { upload, maxBytes } = form.dataset;
  if (file.size > Number(maxBytes)) {
    return Promise.reject(new Error(`Larger than ${Math.floor(Number(maxBytes) / 2 ** 20)} MiB`));
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${upload}&name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("X-CSRF-Token", csrfToken());
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => line.progress(event.loaded / event.total));
    request.addEventListener("load", () => (request.status === 201 ? resolve(answerOf(request)) : reject(new Error(problemOf(request)))));
    request.addEventListener("error", () => reject(new Error("The server cannot be reached")));
    request.send(file);
  });
}

function answerOf(request) {
  try {
    return JSON.parse(request.responseText) ?? {};
  } catch {
    return {};
  }
}

function problemOf(request) {
  try {
    const { detail, errors = [] } = JSON.parse(request.responseText);
    return errors.length ? errors.map((one) => one.message).join(" ") : detail;
  } catch {
    return `The server answered ${request.status}`;
  }
}
