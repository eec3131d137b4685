/** What is shown, as a CSV file. */

import { summaryOf } from "./summaries.js";

/** A cell that no spreadsheet takes for a formula. */
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const row = (cells) => `${cells.map(cell).join(",")}\r\n`;

export function csvOf(answer, view) {
  const names = [...new Set(answer.lines.flatMap(({ labels }) => Object.keys(labels)))];
  const labelsOf = (line) => names.map((name) => line.labels[name] ?? "");
  if (answer.isInstant) {
    return row([...names, "value"]) + answer.lines.map((line) => row([...labelsOf(line), line.values[0] ?? line.text])).join("");
  }
  if (view === "table") {
    const rows = answer.lines.map((line) => {
      const { min, mean, max, last } = summaryOf(line);
      return row([...labelsOf(line), min, mean, max, last]);
    });
    return row([...names, "min", "mean", "max", "last"]) + rows.join("");
  }
  const times = answer.times.map((time) => new Date(time * 1000).toISOString());
  const rows = answer.lines.flatMap((line) => {
    const labels = labelsOf(line);
    return line.values.flatMap((value, index) => (value === null ? [] : [row([times[index], ...labels, value])]));
  });
  return row(["time", ...names, "value"]) + rows.join("");
}

export function download(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
