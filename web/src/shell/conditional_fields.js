/** Fields that only some choices of their form need: `data-only-if="kind=state reduce=mean"` names them, and one is enough.
 *
 * Without this script all fields are shown. What is out of sight is not sent, so it cannot be wrong.
 */

const CONDITIONAL = "[data-only-if]";

/** A choice that is out of sight itself does not count. */
function isChosen(form, choice) {
  const [name, value] = choice.split("=");
  const controls = [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
  return controls.some((one) => one.value === value && (one.type !== "radio" || one.checked) && !one.closest(`${CONDITIONAL}[hidden]`));
}

function update(form) {
  for (const field of form.querySelectorAll(CONDITIONAL)) {
    field.hidden = !field.dataset.onlyIf.split(" ").some((choice) => isChosen(form, choice));
    for (const control of field.querySelectorAll("input, select, textarea")) control.disabled = field.hidden;
  }
}

function updateAll() {
  for (const form of document.querySelectorAll(`form:has(${CONDITIONAL})`)) update(form);
}

export function startConditionalFields() {
  document.addEventListener("change", ({ target }) => target.form?.matches(`:has(${CONDITIONAL})`) && update(target.form));
  document.addEventListener("htmx:after:swap", updateAll);
  updateAll();
}
