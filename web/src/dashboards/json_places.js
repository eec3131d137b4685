/** Where in a JSON text each part stands: "rows[0].title" -> [start, end). The text must be valid. */

const BLANK = /\s*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const PLAIN = /[^\s,\]}]+/y;

export function placesOf(text) {
  const places = new Map();
  let at = 0;
  const skip = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  };
  const value = (path) => {
    skip(BLANK);
    const start = at;
    if (text[at] === "{") members(path);
    else if (text[at] === "[") items(path);
    else if (!skip(STRING)) skip(PLAIN);
    places.set(path, [start, at]);
    skip(BLANK);
  };
  const members = (path) => {
    at += 1;
    skip(BLANK);
    while (at < text.length && text[at] !== "}") {
      const name = JSON.parse(skip(STRING));
      skip(BLANK);
      at += 1;
      value(path ? `${path}.${name}` : name);
      if (text[at] === ",") at += 1;
      skip(BLANK);
    }
    at += 1;
  };
  const items = (path) => {
    at += 1;
    skip(BLANK);
    for (let index = 0; at < text.length && text[at] !== "]"; index += 1) {
      value(`${path}[${index}]`);
      if (text[at] === ",") at += 1;
      skip(BLANK);
    }
    at += 1;
  };
  value("");
  return places;
}

/** The place of a path, or of the nearest part around it that is there. */
export function placeOf(places, path) {
  let rest = path;
  while (rest && !places.has(rest)) rest = rest.slice(0, Math.max(rest.lastIndexOf("."), rest.lastIndexOf("["), 0));
  return places.get(rest) ?? [0, 0];
}
