/** The stream of new frames: opened while the page is looked at, with the state of the connection. */

import { RateMeter } from "./channels.js";

const STREAM_URL = "/api/v1/telemetry/stream";
// A browser gives up for good when the answer is no stream, as while the server starts again or has too many to serve.
const FIRST_RETRY_MS = 2000;
const LONGEST_RETRY_MS = 60_000;

export class LiveStream extends EventTarget {
  #device;
  #source = null;
  #rates = new RateMeter();
  #retry = 0;
  #retryMs = FIRST_RETRY_MS;
  isOpen = false;

  constructor(device) {
    super();
    this.#device = device;
  }

  start() {
    if (this.#source) return;
    this.#rates.forget();
    this.#source = new EventSource(`${STREAM_URL}?device=${encodeURIComponent(this.#device)}`);
    this.#source.addEventListener("open", () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#setOpen(true);
    });
    this.#source.addEventListener("error", () => {
      this.#setOpen(false);
      if (this.#source?.readyState === EventSource.CLOSED) this.#startLater();
    });
    this.#source.addEventListener("frame", (event) => this.#receive(JSON.parse(event.data)));
  }

  #startLater() {
    this.stop();
    this.#retry = setTimeout(() => this.start(), this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS);
  }

  stop() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    this.#setOpen(false);
  }

  #setOpen(isOpen) {
    if (this.isOpen === isOpen) return;
    this.isOpen = isOpen;
    this.dispatchEvent(new Event("state"));
  }

  #receive({ ts, values }) {
    const rates = new Map();
    for (const [key, value] of Object.entries(values)) {
      if (key.split("{", 1)[0].endsWith("_total")) rates.set(key, this.#rates.rate(key, ts, value));
    }
    const valueOf = ({ key, rate }) => (rate ? rates.get(key) : values[key]) ?? null;
    this.dispatchEvent(new CustomEvent("frame", { detail: { ts, valueOf } }));
  }
}
