import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** HTTP answer before it is sent. */
export interface Answer {
  readonly status: number;
  /** Headers; a list becomes several header lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
  /** Header lines sent as they are, even where HTTP forbids them. The connection is closed after such an answer. */
  readonly rawHeaderLines?: readonly string[];
}

/** Options for sending an answer. */
export interface Sending {
  /** True if the request was HEAD. */
  readonly headOnly: boolean;
  /** `Date` header; left out if undefined. */
  readonly date: string | undefined;
  /** Interval at which the body is sent byte by byte. */
  readonly dripEveryMs: number | undefined;
}

/** Creates an answer with a JSON body. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** Creates the answer to a client that is not a program on this machine. The request's body was not read. */
export function refusalAnswer(): Answer {
  return jsonAnswer(403, { message: 'Only programs on this machine may ask.' }, { Connection: 'close' });
}

/** Creates a redirect. */
export function redirectAnswer(status: 302 | 307, location: string): Answer {
  return { status, headers: { Location: location }, body: Buffer.alloc(0) };
}

/** Sends `answer`. Settles when it is written, or when the client has left. */
export async function sendAnswer(response: ServerResponse, answer: Answer, sending: Sending): Promise<void> {
  if (response.destroyed) return;
  response.sendDate = false;
  if (answer.rawHeaderLines !== undefined) {
    sendRaw(response, answer, sending);
    return;
  }
  response.statusCode = answer.status;
  if (sending.date !== undefined) response.setHeader('Date', sending.date);
  for (const [name, value] of Object.entries(answer.headers)) {
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  const bodyless = sending.headOnly || answer.status === 204 || answer.status === 304;
  if (!bodyless) response.setHeader('Content-Length', answer.body.length);
  if (bodyless || sending.dripEveryMs === undefined) {
    response.end(bodyless ? undefined : answer.body);
    return;
  }
  await drip(response, answer.body, sending.dripEveryMs);
}

async function drip(response: ServerResponse, body: Buffer, everyMs: number): Promise<void> {
  response.flushHeaders();
  for (const byte of body) {
    if (!(await pause(response, everyMs))) return;
    response.write(Buffer.of(byte));
  }
  response.end();
}

/** Waits, and reports whether the client is still connected. Ends at once when the client leaves. */
export async function pause(response: ServerResponse, ms: number): Promise<boolean> {
  if (response.destroyed) return false;
  if (ms === 0) return true;
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once('close', leave);
  try {
    await sleep(ms, undefined, { signal: gone.signal });
    return true;
  } catch {
    return false;
  } finally {
    response.off('close', leave);
  }
}

/** Writes to the socket itself, since node:http refuses to send a header value with CR or LF. */
function sendRaw(response: ServerResponse, answer: Answer, sending: Sending): void {
  const lines = [`HTTP/1.1 ${answer.status} -`];
  if (sending.date !== undefined) lines.push(`Date: ${sending.date}`);
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const single of typeof value === 'string' ? [value] : value) lines.push(`${name}: ${single}`);
  }
  lines.push(...(answer.rawHeaderLines ?? []), `Content-Length: ${answer.body.length}`, 'Connection: close');
  const socket = response.socket;
  if (socket === null) return;
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.end(sending.headOnly ? '' : answer.body);
}
