/** Moves an item of a list one place up, by the button [data-move-up] in it. */

export function startMovingUp() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move-up]");
    const item = button?.closest("li");
    if (!item?.previousElementSibling) return;
    item.previousElementSibling.before(item);
    button.focus();
  });
}
