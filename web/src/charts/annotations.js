/** What happened at a time or through one, marked on every chart of the page: alerts, changes, maintenance.
 *
 * A source gives all of its marks at once: `annotations.set("alerts", [{ from, to, title, tone }])`, where `from` and `to` are seconds since 1970,
 * `to` is left out for a moment, and `tone` is good, warning, critical or nothing. A script outside of the bundle says the same by an event:
 * `document.dispatchEvent(new CustomEvent("annotations", { detail: { source: "alerts", marks: […] } }))`.
 */

const MOST_MARKS = 200;

class Annotations extends EventTarget {
  #sources = new Map();
  #all = [];

  set(source, marks) {
    if (!marks.length && !this.#sources.get(source)?.length) return;
    this.#sources.set(source, marks.slice(-MOST_MARKS));
    this.#all = [...this.#sources.values()].flat().sort((a, b) => a.from - b.from);
    this.dispatchEvent(new Event("change"));
  }

  /** The marks of all sources, oldest first. */
  get all() {
    return this.#all;
  }
}

export const annotations = new Annotations();

document.addEventListener("annotations", ({ detail }) => annotations.set(detail.source, detail.marks));
