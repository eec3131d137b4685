/** Ties a dashboard's range, variables, panels and editor together. */

import { serverNow } from "../api.js";
import { formatClock } from "../format.js";
import { startAlertMarks } from "../charts/alert_marks.js";
import { startRangePicker } from "../time/range_picker.js";
import { timeRange } from "../time/time_range.js";
import { loadStyles } from "../shell/styles.js";
import { showToast } from "../shell/toasts.js";
import { Board } from "./board.js";
import { startDeleting } from "./deleting.js";
import { Variables } from "./variables.js";

const LONGEST_COPIED_NAME = 110;

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
    const marks = startAlertMarks(this.#part("range-toolbar"), () => (this.#variables.devices.length ? this.#variables.devices : null));
    this.#variables.addEventListener("change", () => marks.load());
    const wanted = new URLSearchParams(window.location.search).get("edit");
    if (wanted === "copy" && this.#lists.mayWrite) this.#duplicate();
    else if (wanted !== null && this.#saved.may_change) this.#edit();
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

  /** A copy is a dashboard once it is saved; until then it is only on this page. */
  #duplicate() {
    const { name, description, definition } = this.#saved;
    this.#edit({ slug: null, name: `${name.slice(0, LONGEST_COPIED_NAME)} (copy)`, description, visibility: "private", default_for: null, definition });
  }

  /** The editor is fetched when somebody wants it: most people only look. */
  async #edit(dashboard = this.#saved) {
    if (this.#editor) return;
    clearTimeout(this.#timer);
    const parts = [import("./editor.js"), loadStyles(this.#root.dataset.editorStyles)];
    const [module] = await Promise.all(parts).catch(() => []);
    if (!module) {
      showToast("The editor cannot be loaded; reload the page and try again", "danger");
      return;
    }
    const { Editor } = module;
    this.#markEditing(dashboard.slug ? "1" : "copy");
    this.#showNames(dashboard);
    this.#editor ??= new Editor(this.#root, dashboard, {
      board: this.#board, variables: this.#variables, lists: this.#lists,
      onDone: (saved) => this.#stopEditing(saved ?? this.#saved),
    });
  }

  /** The address says what is edited, so that the page opens with it again. */
  #markEditing(what) {
    const url = new URL(window.location.href);
    if (what) url.searchParams.set("edit", what);
    else url.searchParams.delete("edit");
    window.history.replaceState(null, "", url);
  }

  #showNames({ slug, name, description, visibility }) {
    this.#part("board-name").textContent = name;
    this.#part("board-description").textContent = description;
    this.#part("board-unsaved").hidden = Boolean(slug);
    this.#part("board-built-in")?.toggleAttribute("hidden", !slug);
    const tag = this.#part("board-visibility");
    if (tag) tag.textContent = visibility === "everyone" ? "Everyone sees it" : "Only you see it";
  }

  #stopEditing(saved) {
    this.#editor = null;
    this.#saved = saved;
    this.#markEditing(null);
    this.#showNames(saved);
    this.#variables.use(saved.definition.variables);
    this.#board.show(saved.definition);
    this.#schedule();
  }
}
