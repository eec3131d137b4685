/** Ties a dashboard's range, variables, panels and editor together. */

import { postJson, serverNow } from "../api.js";
import { formatClock } from "../format.js";
import { showToast } from "../shell/toasts.js";
import { startRangePicker } from "../time/range_picker.js";
import { timeRange } from "../time/time_range.js";
import { Board } from "./board.js";
import { startDeleting } from "./deleting.js";
import { Variables } from "./variables.js";

export class DashboardPage {
  #root;
  #saved;
  #lists;
  #variables;
  #board;
  #editor = null;
  #timer;
  #isQueued = false;

  constructor(root) {
    this.#root = root;
    this.#saved = JSON.parse(root.dataset.dashboard);
    this.#lists = {
      departments: JSON.parse(root.dataset.departments),
      types: JSON.parse(root.dataset.deviceTypes),
      functions: JSON.parse(root.dataset.functions),
      mayShare: root.dataset.mayShare === "true",
      mayWrite: root.dataset.mayWrite === "true",
    };
    timeRange.setDefault(this.#saved.definition.time.range);
    this.#variables = new Variables(this.#part("variables"), this.#lists);
    this.#board = new Board(this.#part("board"), this.#variables, (count) => this.#showState(count));
  }

  #part(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }

  start() {
    startRangePicker(this.#part("range-toolbar"));
    startDeleting();
    timeRange.addEventListener("change", () => this.#queue());
    this.#variables.addEventListener("change", () => this.#queue());
    this.#part("refresh").addEventListener("change", ({ target }) => this.#setRefresh(target.value));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#isLive()) this.#board.reload();
    });
    this.#part("duplicate")?.addEventListener("click", () => this.#duplicate());
    this.#part("edit")?.addEventListener("click", () => this.#edit());
    this.#variables.use(this.#saved.definition.variables);
    this.#showRefresh();
    this.#board.show(this.#saved.definition);
    this.#schedule();
    if (this.#saved.may_change && new URLSearchParams(window.location.search).has("edit")) this.#edit();
  }

  /** Going back in the history changes the range and the variables, and is one question. */
  #queue() {
    if (this.#isQueued) return;
    this.#isQueued = true;
    queueMicrotask(() => {
      this.#isQueued = false;
      this.#board.reload();
      this.#showRefresh();
      this.#schedule();
    });
  }

  #refresh() {
    const text = new URLSearchParams(window.location.search).get("refresh");
    const known = [...this.#part("refresh").options].map(({ value }) => value);
    return Number(known.includes(text) ? text : this.#saved.definition.refresh);
  }

  #showRefresh() {
    this.#part("refresh").value = String(this.#refresh());
  }

  #setRefresh(value) {
    const url = new URL(window.location.href);
    url.searchParams.set("refresh", value);
    window.history.replaceState(null, "", url);
    this.#schedule();
  }

  #isLive() {
    return this.#refresh() > 0 && timeRange.isLive && !this.#editor;
  }

  #schedule() {
    clearTimeout(this.#timer);
    if (!this.#isLive()) return;
    this.#timer = setTimeout(() => {
      if (!document.hidden) this.#board.reload();
      this.#schedule();
    }, this.#refresh() * 1000);
  }

  #showState(count) {
    const panels = `${count} ${count === 1 ? "panel" : "panels"}`;
    this.#part("board-status").textContent = count ? `Loading ${panels}…` : `As of ${formatClock(new Date(serverNow() * 1000))}`;
    this.#root.classList.toggle("is-loading", count > 0);
  }

  async #duplicate() {
    try {
      const made = await postJson(`/api/v1/dashboards/${encodeURIComponent(this.#saved.slug)}/duplicate`, {});
      window.location.assign(`/dashboards/${encodeURIComponent(made.slug)}?edit=1`);
    } catch (error) {
      showToast(error.message, "danger");
    }
  }

  /** The editor is fetched when somebody wants it: most people only look. */
  async #edit() {
    if (this.#editor) return;
    clearTimeout(this.#timer);
    const module = await import("./editor.js").catch(() => null);
    if (!module) {
      showToast("The editor cannot be loaded; reload the page and try again", "danger");
      return;
    }
    const { Editor } = module;
    this.#editor ??= new Editor(this.#root, this.#saved, {
      board: this.#board, variables: this.#variables, lists: this.#lists,
      onDone: (saved) => this.#stopEditing(saved),
    });
  }

  #stopEditing(saved) {
    this.#editor = null;
    this.#saved = saved;
    const url = new URL(window.location.href);
    url.searchParams.delete("edit");
    window.history.replaceState(null, "", url);
    this.#root.querySelector("[data-board-name]").textContent = saved.name;
    this.#root.querySelector("[data-board-description]").textContent = saved.description;
    const tag = this.#root.querySelector("[data-board-visibility]");
    if (tag) tag.textContent = saved.visibility === "everyone" ? "Everyone sees it" : "Only you see it";
    this.#variables.use(saved.definition.variables);
    this.#board.show(saved.definition);
    this.#schedule();
  }
}
