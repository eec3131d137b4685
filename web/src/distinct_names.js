/** Tells lines of one name apart that belong to different devices: by the end of the device's ID. */

const END = 6;

const deviceOf = ({ href }) => href?.split("/").at(-1) ?? "";

/** The same lines; two devices of one name have their IDs behind it. */
export function withDistinctNames(lines) {
  const devices = new Map();
  for (const line of lines) devices.set(line.name, (devices.get(line.name) ?? new Set()).add(deviceOf(line)));
  return lines.map((line) => (devices.get(line.name).size > 1 ? { ...line, name: `${line.name} (…${deviceOf(line).slice(-END)})` } : line));
}
