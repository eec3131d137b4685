/** The entry of the open page, and the tab of the open part, are in sight, however small the screen is. */

export function showCurrentEntry() {
  document.querySelector(".sidebar [aria-current]")?.scrollIntoView({ block: "nearest" });
  document.querySelector(".page-tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}
