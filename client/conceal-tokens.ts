/** Where node:http keeps the headers of a request that it has sent: as text, and as they were set. */
const OF_NODE = new Set(['_header', 'kOutHeaders']);

/**
 * Takes the headers of a sent `node:http` request out of what `console.log`, `inspect` and `JSON.stringify` show: they
 * hold the token, and errors and answers of HTTP libraries lead to the request. The request works on. Anything else is
 * left as it is.
 */
export function hideSentHeaders(request: unknown): void {
  if (typeof request !== 'object' || request === null) return;
  for (const key of Reflect.ownKeys(request)) {
    const name = typeof key === 'symbol' ? key.description : key;
    if (name !== undefined && OF_NODE.has(name)) hideMember(request, key);
  }
}

/** Makes a member of `holder` invisible in the same way, where it has one of that name. */
export function hideMember(holder: object, name: PropertyKey): void {
  if (Object.getOwnPropertyDescriptor(holder, name)?.configurable !== true) return;
  Object.defineProperty(holder, name, { enumerable: false });
}

/**
 * Takes the token header called `name`, in lowercase, out of an answer of `node:http`, parsed and raw, and hides the
 * headers of the request that it leads to. Anything else is left as it is.
 */
export function removeTokens(answer: unknown, name: string): void {
  if (typeof answer !== 'object' || answer === null) return;
  hideSentHeaders(Reflect.get(answer, 'req'));
  const headers: unknown = Reflect.get(answer, 'headers');
  if (typeof headers === 'object' && headers !== null) Reflect.deleteProperty(headers, name);
  const raw: unknown = Reflect.get(answer, 'rawHeaders');
  if (!Array.isArray(raw)) return;
  // Names and values take turns; from the end, so that what is taken out moves nothing still to be looked at.
  for (let at = raw.length - 2; at >= 0; at -= 2) {
    if (String(raw[at]).toLowerCase() === name) raw.splice(at, 2);
  }
}
