/** Calls of the product's HTTP API with the reader's session, and the server's idea of the time. */

let clockSkewMs = 0;

export class ApiError extends Error {
  constructor(status, message, body = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/** Seconds since 1970 by the server's clock, as far as its answers told. */
export function serverNow() {
  return (Date.now() + clockSkewMs) / 1000;
}

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

function noteServerTime(response) {
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isNaN(date)) return;
  // The Date header has whole seconds: smaller differences are noise.
  const skew = date + 500 - Date.now();
  clockSkewMs = Math.abs(skew) > 1500 ? skew : 0;
}

async function problemOf(response) {
  const body = (await response.json().catch(() => null)) ?? {};
  return new ApiError(response.status, body.detail || body.title || body.error || `The server answered ${response.status}`, body);
}

/** GET a JSON resource; `parameters` is a list of [name, value] pairs. */
export async function getJson(path, parameters = [], signal = undefined) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  let response;
  try {
    response = await fetch(url, { headers: { Accept: "application/json" }, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached");
  }
  noteServerTime(response);
  if (response.status === 401) throw new ApiError(401, "Your session has ended: reload the page to sign in");
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/** Sends JSON with the page's CSRF token; resolves to the answer, or to null when there is none. */
export async function sendJson(method, path, body, { headers = {}, signal } = {}) {
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), {
      method,
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": csrfToken(), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached");
  }
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

/** POST JSON; resolves to the answer, or to null when there is none. */
export const postJson = (path, body = {}, signal = undefined) => sendJson("POST", path, body, { signal });
