/** The zone that times are shown in: the account's, or without one the browser's. */

/** An IANA name, or undefined for the browser's own zone. */
export const timeZone = document.documentElement.dataset.timeZone || undefined;

const parts = new Intl.DateTimeFormat("en-CA-u-hc-h23", {
  timeZone,
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

/** A time in seconds since 1970 as <input type="datetime-local"> has it. */
export function toLocalInput(epoch) {
  const found = Object.fromEntries(parts.formatToParts(new Date(epoch * 1000)).map(({ type, value }) => [type, value]));
  return `${found.year}-${found.month}-${found.day}T${found.hour}:${found.minute}:${found.second}`;
}

/** The other way round; NaN for no time. */
export function fromLocalInput(text) {
  const wanted = Date.parse(`${text}Z`) / 1000;
  if (Number.isNaN(wanted)) return Number.NaN;
  // The zone's offset is that of the wanted moment, which is known only nearly at first.
  let epoch = wanted;
  for (let round = 0; round < 2; round += 1) epoch += wanted - Date.parse(`${toLocalInput(epoch)}Z`) / 1000;
  return epoch;
}
