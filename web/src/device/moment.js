/** The moment the reader picked on a chart, whose processes are shown; null follows the present. */

class Moment extends EventTarget {
  #at = null;

  constructor() {
    super();
    const at = Number(new URLSearchParams(window.location.search).get("at") ?? Number.NaN);
    if (at > 0) this.#at = at;
  }

  get at() {
    return this.#at;
  }

  set(at) {
    this.#at = at === null ? null : Math.round(at);
    const url = new URL(window.location.href);
    if (this.#at === null) url.searchParams.delete("at");
    else url.searchParams.set("at", this.#at);
    window.history.replaceState(null, "", url);
    this.dispatchEvent(new Event("change"));
  }
}

export const moment = new Moment();
