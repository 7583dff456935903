/** Status of a rejected token: the request was not carried out (H17). */
export const UNAUTHORIZED = 401;

/** Reports whether a request body can be sent a second time: a stream cannot. */
export function isReplayable(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return true;
  return body instanceof URLSearchParams || body instanceof FormData || body instanceof Blob;
}
