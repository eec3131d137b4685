/** The entry of the open page is in sight, however low the screen is. */

export function showCurrentEntry() {
  document.querySelector(".sidebar [aria-current]")?.scrollIntoView({ block: "nearest" });
}
