/** Marks the section of a long page that is being read in the page's own navigation. */

function mark(links, current) {
  for (const [id, link] of links) {
    if (id === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

export function startSectionNav(nav) {
  const links = new Map([...nav.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) mark(links, target.id);
      }
    },
    { rootMargin: "-25% 0px -70% 0px" },
  );
  // The last sections are too short to reach the line where the others are marked.
  window.addEventListener("scrollend", () => {
    const left = document.documentElement.scrollHeight - window.scrollY - window.innerHeight;
    if (left < 4) mark(links, [...links.keys()].at(-1));
  });
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section) observer.observe(section);
  }
}
