/** Edit mode: rows and panels are added, moved, sized, copied and taken away; nothing is stored before "Save". */

import { newPanel } from "../charts/panel.js";
import { element, icon } from "../elements.js";
import { showToast } from "../shell/toasts.js";
import { BoardGrids } from "./board_grids.js";
import { JsonEditor } from "./json_editor.js";
import { copyBelow, joined, moved, resized, swapped, written } from "./layout.js";
import { PanelForm } from "./panel_form.js";
import { panelTools, tool } from "./panel_tools.js";
import { save } from "./saving.js";
import { openSettings } from "./settings_form.js";

const PHONE = window.matchMedia("(max-width: 800px)");

export class Editor {
  #root;
  #saved;
  #draft;
  #board;
  #variables;
  #lists;
  #onDone;
  #json;
  #grids = new BoardGrids((rows, isMoved) => this.#takePlaces(rows, isMoved));
  #status = element("p", { class: "visually-hidden", role: "status" });
  #isDirty = false;
  #isSaving = false;
  #listening = new AbortController();

  constructor(root, saved, { board, variables, lists, onDone }) {
    [this.#root, this.#saved, this.#board, this.#variables, this.#lists, this.#onDone] = [root, saved, board, variables, lists, onDone];
    const { name, description, visibility, default_for: defaultFor, definition } = saved;
    this.#draft = structuredClone({ name, description, visibility, default_for: defaultFor, definition });
    this.#json = new JsonEditor(root.querySelector("[data-json-editor]"), (definition2) => this.#takeJson(definition2));
    this.#listen();
    root.append(this.#status);
    root.classList.add("is-editing");
    this.#toggle(true);
    this.#showTab("panels");
    this.#draw();
  }

  #listen() {
    const { signal } = this.#listening;
    const on = (name, act) => this.#root.querySelector(`[data-${name}]`).addEventListener("click", act, { signal });
    on("save", () => this.#save());
    on("discard", () => this.#discard());
    on("settings", () => this.#settings());
    const tabs = [...this.#root.querySelectorAll("[data-tab]")];
    for (const tab of tabs) {
      tab.addEventListener("click", () => this.#showTab(tab.dataset.tab), { signal });
      tab.addEventListener("keydown", (event) => {
        if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
        const other = tabs.find((one) => one !== tab);
        other.focus();
        other.click();
      }, { signal });
    }
    PHONE.addEventListener("change", () => this.#draw(), { signal });
    window.addEventListener("beforeunload", (event) => this.#isDirty && event.preventDefault(), { signal });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "s" || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      this.#save();
    }, { signal });
  }

  #toggle(isEditing) {
    this.#root.querySelector("[data-view-actions]").hidden = isEditing;
    this.#root.querySelector("[data-edit-actions]").hidden = !isEditing;
  }

  #showTab(name) {
    for (const tab of this.#root.querySelectorAll("[data-tab]")) {
      const isCurrent = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(isCurrent));
      tab.tabIndex = isCurrent ? 0 : -1;
    }
    this.#host.hidden = name === "json";
    this.#root.querySelector("[data-json-editor]").hidden = name !== "json";
    if (name === "json") this.#json.show(this.#draft.definition);
    else this.#draw();
  }

  /** A definition that the server found right. */
  #takeJson(definition) {
    this.#draft.definition = definition;
    this.#variables.use(definition.variables);
    this.#isDirty = true;
  }

  get #rows() {
    return this.#draft.definition.rows;
  }

  #change(act) {
    act();
    this.#isDirty = true;
    this.#draw();
  }

  #draw() {
    this.#grids.stop();
    this.#board.show(this.#draft.definition, {
      row: (row, place) => this.#rowHead(row, place),
      tools: (panel, place) => panelTools(panel, this.#actsOf(panel, place)),
      foot: () => {
        const add = element("button", { type: "button", class: "btn board-add-row", "data-add-row": true }, icon("plus"), "Add row");
        add.addEventListener("click", () => this.#change(() => this.#rows.push({ title: "", panels: [] })));
        return [add];
      },
    });
    // On a phone panels stand in one column, and there is nothing to drag.
    if (!PHONE.matches) this.#grids.start(this.#host);
  }

  get #host() {
    return this.#root.querySelector("[data-board]");
  }

  /** What was dragged or sized by the pointer. */
  #takePlaces(rows, isMoved) {
    for (const [place, places] of rows) this.#rows[place].panels = written(places);
    this.#isDirty = true;
    if (isMoved) this.#draw();
  }

  #move(list, from, to) {
    this.#change(() => list.splice(to, 0, ...list.splice(from, 1)));
  }

  #rowHead(row, place) {
    const title = element("input", { class: "form-control", value: row.title, maxlength: 120, placeholder: "Title of the row", "aria-label": `Title of row ${place + 1}` });
    title.addEventListener("input", () => {
      row.title = title.value;
      this.#isDirty = true;
    });
    const add = element("button", { type: "button", class: "btn btn-sm", "data-add-panel": true }, icon("plus"), "Add panel");
    add.addEventListener("click", () => this.#openPanel(newPanel(), (panel) => row.panels.push(panel)));
    const last = this.#rows.length - 1;
    return element(
      "header", { class: "board-row-head" }, title, add,
      tool("arrow-up", "Move the row up", () => this.#move(this.#rows, place, place - 1), { isOff: place === 0 }),
      tool("arrow-down", "Move the row down", () => this.#move(this.#rows, place, place + 1), { isOff: place === last }),
      tool("trash", row.panels.length ? `Remove the row with its ${row.panels.length} panels` : "Remove the row", () => this.#change(() => this.#rows.splice(place, 1))),
    );
  }

  #actsOf(panel, place) {
    const row = this.#rows[place];
    return {
      step: (step, isSizing) => this.#step(panel, place, step, isSizing),
      swap: (step) => this.#change(() => this.#takeOrPass(place, panel, step, swapped(row.panels, panel, step))),
      edit: () => this.#openPanel(panel, (changed) => row.panels.splice(row.panels.indexOf(panel), 1, changed)),
      duplicate: () => this.#change(() => row.panels.splice(row.panels.indexOf(panel) + 1, 0, copyBelow(panel))),
      remove: () => this.#change(() => row.panels.splice(row.panels.indexOf(panel), 1)),
    };
  }

  /** One step by a key. The focus stays on the panel's handle, wherever the panel goes. */
  #step(panel, place, step, isSizing) {
    const { panels } = this.#rows[place];
    this.#change(() => {
      if (isSizing) this.#rows[place].panels = resized(panels, panel, step);
      else this.#takeOrPass(place, panel, step[1], moved(panels, panel, step));
    });
    const root = [...this.#host.querySelectorAll(".board-panel")].find(({ boardPanel }) => boardPanel.panel === panel);
    root.querySelector(".board-handle").focus();
    const { x, y, width, height } = root.boardPanel.place;
    this.#status.textContent = `Column ${x + 1}, line ${y + 1}, ${width} columns wide, ${height} lines high`;
  }

  /** The row's new places; without any the panel passes into the row above or below, if there is one. */
  #takeOrPass(place, panel, down, panels) {
    const target = this.#rows[place + down];
    if (panels) this.#rows[place].panels = panels;
    else if (target) {
      this.#rows[place].panels.splice(this.#rows[place].panels.indexOf(panel), 1);
      target.panels = joined(target.panels, panel, down > 0);
    }
  }

  #openPanel(panel, take) {
    const form = new PanelForm(panel, { definition: this.#draft.definition, variables: this.#variables, lists: this.#lists });
    form.open((changed) => this.#change(() => take(changed)));
  }

  #settings() {
    openSettings(this.#draft, this.#lists, () => {
      this.#isDirty = true;
      this.#variables.use(this.#draft.definition.variables);
      this.#draw();
    });
  }

  async #save() {
    // Pressed again, it would meet its own first save as that of somebody else.
    if (this.#isSaving) return;
    this.#isSaving = true;
    try {
      await this.#store();
    } finally {
      this.#isSaving = false;
    }
  }

  async #store() {
    if (!(await this.#json.isRight())) {
      showToast("The JSON has errors; nothing was saved", "danger");
      return;
    }
    const saved = await save(this.#saved, this.#draft);
    if (!saved) return;
    this.#isDirty = false;
    if (!this.#saved.slug) {
      window.location.assign(`/dashboards/${encodeURIComponent(saved.slug)}`);
      return;
    }
    showToast("Saved");
    this.#finish(saved);
  }

  #discard() {
    if (this.#isDirty && !window.confirm("Discard what you changed since the last save?")) return;
    this.#isDirty = false;
    this.#finish(null);
  }

  /** `saved` is the dashboard as it is stored now; null when it is as before. */
  #finish(saved) {
    this.#listening.abort();
    this.#grids.stop();
    this.#status.remove();
    this.#json.stop();
    this.#root.classList.remove("is-editing");
    this.#host.hidden = false;
    this.#root.querySelector("[data-json-editor]").hidden = true;
    this.#toggle(false);
    this.#onDone(saved);
  }
}
