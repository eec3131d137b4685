/** Passkeys: between the server's JSON, with bytes in base64url, and the browser's buffers. */

function toBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (mark) => mark.charCodeAt(0));
}

function toText(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function readDescriptors(descriptors = []) {
  return descriptors.map((item) => ({ ...item, id: toBytes(item.id) }));
}

export function knowsPasskeys() {
  return window.isSecureContext && "PublicKeyCredential" in window;
}

/** Asks the browser for a new passkey; resolves to what the server checks. */
export async function makePasskey(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: readDescriptors(options.excludeCredentials),
    },
  });
  const { response } = credential;
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      attestationObject: toText(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  };
}

/** Asks the browser to sign with a passkey; resolves to what the server checks. */
export async function usePasskey(options) {
  const credential = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      allowCredentials: readDescriptors(options.allowCredentials),
    },
  });
  const { response } = credential;
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      authenticatorData: toText(response.authenticatorData),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
  };
}

/** What to tell somebody whose passkey did not work. */
export function failureText(error) {
  if (error.name === "NotAllowedError") return "Nothing was chosen, or it took too long.";
  if (error.name === "InvalidStateError") return "This device has a passkey for your account already.";
  return error.message || "The passkey did not work.";
}
