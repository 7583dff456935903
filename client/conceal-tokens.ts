/** Members in which node:http keeps the headers of a sent request: as text, and as they were set. */
const OF_NODE = new Set(['_header', 'kOutHeaders']);

/**
 * Hides the headers of a sent `node:http` request from `console.log`, `inspect` and `JSON.stringify`: they hold the
 * token, and errors and answers of HTTP libraries refer to the request. The request still works. Ignores anything else.
 */
export function hideSentHeaders(request: unknown): void {
  if (typeof request !== 'object' || request === null) return;
  for (const key of Reflect.ownKeys(request)) {
    const name = typeof key === 'symbol' ? key.description : key;
    if (name !== undefined && OF_NODE.has(name)) hideMember(request, key);
  }
}

/** Hides a member of `holder` in the same way, if it has one of that name. */
export function hideMember(holder: object, name: PropertyKey): void {
  if (Object.getOwnPropertyDescriptor(holder, name)?.configurable !== true) return;
  Object.defineProperty(holder, name, { enumerable: false });
}

/**
 * Removes the token header `name` (lowercase) from an answer of `node:http`, parsed and raw, and hides the headers of
 * its request. Ignores anything else.
 */
export function removeTokens(answer: unknown, name: string): void {
  if (typeof answer !== 'object' || answer === null) return;
  hideSentHeaders(Reflect.get(answer, 'req'));
  const headers: unknown = Reflect.get(answer, 'headers');
  if (typeof headers === 'object' && headers !== null) Reflect.deleteProperty(headers, name);
  const raw: unknown = Reflect.get(answer, 'rawHeaders');
  if (!Array.isArray(raw)) return;
  // Names and values alternate. Going backwards, a removal does not shift the rest to look at.
  for (let at = raw.length - 2; at >= 0; at -= 2) {
    if (String(raw[at]).toLowerCase() === name) raw.splice(at, 2);
  }
}
