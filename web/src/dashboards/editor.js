/** Edit mode: rows and panels are added, moved, sized, copied and taken away; nothing is stored before "Save". */

import { newPanel } from "../charts/panel.js";
import { element, icon } from "../elements.js";
import { showToast } from "../shell/toasts.js";
import { JsonEditor } from "./json_editor.js";
import { PanelForm } from "./panel_form.js";
import { save } from "./saving.js";
import { openSettings } from "./settings_form.js";

const WIDTHS = [2, 3, 4, 6, 8, 9, 12];

function tool(sign, title, act, { isOff = false } = {}) {
  const button = element("button", { type: "button", class: "icon-button", title, "aria-label": title, disabled: isOff }, icon(sign));
  button.addEventListener("click", act);
  return button;
}

export class Editor {
  #root;
  #saved;
  #draft;
  #board;
  #variables;
  #lists;
  #onDone;
  #json;
  #isDirty = false;
  #isSaving = false;
  #listening = new AbortController();

  constructor(root, saved, { board, variables, lists, onDone }) {
    [this.#root, this.#saved, this.#board, this.#variables, this.#lists, this.#onDone] = [root, saved, board, variables, lists, onDone];
    const { name, description, visibility, default_for: defaultFor, definition } = saved;
    this.#draft = structuredClone({ name, description, visibility, default_for: defaultFor, definition });
    this.#json = new JsonEditor(root.querySelector("[data-json-editor]"), (definition2) => this.#takeJson(definition2));
    this.#listen();
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
    this.#root.querySelector("[data-board]").hidden = name === "json";
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
    this.#board.show(this.#draft.definition, {
      row: (row, place) => this.#rowHead(row, place),
      panel: (view, place, index) => view.setTools(...this.#panelTools(view.panel, place, index)),
      foot: () => {
        const add = element("button", { type: "button", class: "btn board-add-row", "data-add-row": true }, icon("plus"), "Add row");
        add.addEventListener("click", () => this.#change(() => this.#rows.push({ title: "", panels: [] })));
        return [add];
      },
    });
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

  #panelTools(panel, place, index) {
    const { panels } = this.#rows[place];
    const toRow = (target) => this.#change(() => this.#rows[target].panels.push(...panels.splice(index, 1)));
    const width = (step) => {
      const wider = step > 0 ? WIDTHS.find((one) => one > panel.width) : WIDTHS.findLast((one) => one < panel.width);
      this.#change(() => {
        panel.width = wider ?? panel.width;
      });
    };
    return [
      tool("pencil", `Edit ${panel.title}`, () => this.#openPanel(panel, (changed) => panels.splice(index, 1, changed))),
      tool("arrow-left", "Move left", () => this.#move(panels, index, index - 1), { isOff: index === 0 }),
      tool("arrow-right", "Move right", () => this.#move(panels, index, index + 1), { isOff: index === panels.length - 1 }),
      tool("arrow-up", "Move to the row above", () => toRow(place - 1), { isOff: place === 0 }),
      tool("arrow-down", "Move to the row below", () => toRow(place + 1), { isOff: place === this.#rows.length - 1 }),
      tool("minus", `Narrower than ${panel.width} twelfths`, () => width(-1), { isOff: panel.width <= WIDTHS[0] }),
      tool("plus", `Wider than ${panel.width} twelfths`, () => width(1), { isOff: panel.width >= 12 }),
      tool("copy", `Duplicate ${panel.title}`, () => this.#change(() => panels.splice(index + 1, 0, structuredClone(panel)))),
      tool("trash", `Remove ${panel.title}`, () => this.#change(() => panels.splice(index, 1))),
    ];
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
    showToast("Saved");
    this.#finish(saved);
  }

  #discard() {
    if (this.#isDirty && !window.confirm("Discard what you changed since the last save?")) return;
    this.#isDirty = false;
    this.#finish(this.#saved);
  }

  #finish(saved) {
    this.#listening.abort();
    this.#json.stop();
    this.#root.classList.remove("is-editing");
    this.#root.querySelector("[data-board]").hidden = false;
    this.#root.querySelector("[data-json-editor]").hidden = true;
    this.#toggle(false);
    this.#onDone(saved);
  }
}
