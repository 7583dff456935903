import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** One HTTP answer before it is sent. */
export interface Answer {
  readonly status: number;
  /** A list is sent as that many header lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
  /** Header lines sent as they are, even where HTTP forbids them. The connection is closed after such an answer. */
  readonly rawHeaderLines?: readonly string[];
}

/** How an answer goes out. */
export interface Sending {
  /** Whether the request was HEAD. */
  readonly headOnly: boolean;
  /** The `Date` header; none without it. */
  readonly date: Date | undefined;
  /** Sends the body one byte at a time, this far apart. */
  readonly dripEveryMs: number | undefined;
}

/** An answer with a JSON body. */
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

/** The answer to whoever is not a program on this machine. The request's body was not read. */
export function refusalAnswer(): Answer {
  return jsonAnswer(403, { message: 'Only programs on this machine may ask.' }, { Connection: 'close' });
}

/** An answer that sends the client elsewhere. */
export function redirectAnswer(status: 302 | 307, location: string): Answer {
  return { status, headers: { Location: location }, body: Buffer.alloc(0) };
}

/** Sends `answer` whole. Settles when it is written, or when the client has gone. */
export async function sendAnswer(response: ServerResponse, answer: Answer, sending: Sending): Promise<void> {
  if (response.destroyed) return;
  response.sendDate = false;
  if (answer.rawHeaderLines !== undefined) {
    sendRaw(response, answer, sending);
    return;
  }
  response.statusCode = answer.status;
  if (sending.date !== undefined) response.setHeader('Date', sending.date.toUTCString());
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

/** Waits, and reports whether the client is still there afterwards. Ends at once when the client goes. */
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
  if (sending.date !== undefined) lines.push(`Date: ${sending.date.toUTCString()}`);
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const single of typeof value === 'string' ? [value] : value) lines.push(`${name}: ${single}`);
  }
  lines.push(...(answer.rawHeaderLines ?? []), `Content-Length: ${answer.body.length}`, 'Connection: close');
  const socket = response.socket;
  if (socket === null) return;
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.end(sending.headOnly ? '' : answer.body);
}
