/** Style sheets that only some pages need at some time. */

/** Resolves once the style sheet counts; it is asked for once. */
export function loadStyles(href) {
  const known = document.head.querySelector(`link[href="${CSS.escape(href)}"]`);
  if (known) return Promise.resolve();
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error(`${href} cannot be loaded`));
    });
    document.head.append(link);
  });
}
