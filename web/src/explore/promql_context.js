/** What a caret in a query stands in: a name, a label, a label's value or a duration. Pure. */

const GROUPING = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const WORD = /[A-Za-z_:][\w:]*/y;
const CLOSING = { ")": "(", "}": "{", "]": "[" };

/** {kind: "expression" | "label" | "grouping" | "value" | "duration" | "none", from, word, metric, label}. */
export function contextAt(text, caret) {
  const open = [];
  let last = "";
  let place = 0;
  while (place < caret) {
    const char = text[place];
    if (char === "#") {
      const end = text.indexOf("\n", place);
      if (end < 0 || end >= caret) return { kind: "none" };
      place = end;
    } else if (char === '"' || char === "'" || char === "`") {
      const start = place + 1;
      place = start;
      while (place < caret && text[place] !== char) place += text[place] === "\\" && char !== "`" ? 2 : 1;
      if (place >= caret) {
        const inside = open.at(-1);
        if (inside?.sign !== "{") return { kind: "none" };
        return { kind: "value", from: start, word: text.slice(start, caret), metric: inside.before, label: last, quote: char };
      }
      place += 1;
    } else if ("({[".includes(char)) {
      open.push({ sign: char, before: last });
      last = "";
      place += 1;
    } else if (CLOSING[char]) {
      if (open.at(-1)?.sign === CLOSING[char]) last = open.pop().before;
      place += 1;
    } else {
      WORD.lastIndex = place;
      const found = WORD.exec(text);
      if (found && place + found[0].length < caret) last = found[0];
      if (!found && !/\s/.test(char) && !"=!~".includes(char)) last = "";
      place += found ? found[0].length : 1;
    }
  }
  const word = /[A-Za-z_:][\w:]*$/.exec(text.slice(0, caret))?.[0] ?? "";
  const from = caret - word.length;
  const inside = open.at(-1);
  if (inside?.sign === "[") return { kind: "duration", from: caret - (/[\w.]*$/.exec(text.slice(0, caret))[0].length), word: "" };
  if (inside?.sign === "{") {
    const before = text.slice(0, from).trimEnd().at(-1);
    return "{,".includes(before) ? { kind: "label", from, word, metric: inside.before } : { kind: "none" };
  }
  if (inside?.sign === "(" && GROUPING.has(inside.before.toLowerCase())) return { kind: "grouping", from, word };
  // A number's digits are no beginning of a name.
  if (/[\d.]$/.test(text.slice(0, from))) return { kind: "none" };
  return { kind: "expression", from, word };
}
