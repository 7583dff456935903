import { chmod, mkdir } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import { readBody } from './aws/http-body.ts';
import { createKeyCheck, KEY_REFUSAL } from './aws/loopback-keys.ts';
import { closeServer, isFromLocalProgram, listenOnLoopback } from './aws/loopback-server.ts';
import { settleWithin } from './aws/settle-within.ts';
import { StartError } from './start-error.ts';

/** DynamoDB inside this process. */
export interface EmbeddedDynamodb {
  /** Endpoint for the SDK's DynamoDB client: `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** Waits a short while for requests in flight, then flushes and closes the store. */
  close(): Promise<void>;
}

const STORE_FOLDER = 'dynamodb';
const OWNER_ONLY = 0o700;
const CLOSE_GRACE_MS = 2_000;
// Time for the last answers to be sent; connections still sending after it are cut.
const FLUSH_MS = 200;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Starts DynamoDB (dynalite) on a free port of 127.0.0.1: tables, conditional writes, indexes; no transactions, no TTL.
 *
 * With `dataDir` the tables are stored in its folder `dynamodb` for the next start; without it they are in memory and
 * lost at the end.
 * @throws StartError if the folder cannot be made or another process has it open
 */
export async function startEmbeddedDynamodb({
  dataDir,
  secretAccessKey,
}: {
  readonly dataDir?: string;
  /** Key that every request must be signed with. Tests alone leave it out. */
  readonly secretAccessKey?: string;
}): Promise<EmbeddedDynamodb> {
  const mayEnter = secretAccessKey === undefined ? undefined : createKeyCheck(secretAccessKey);
  const store = dataDir === undefined ? {} : { path: join(dataDir, STORE_FOLDER) };
  if (store.path !== undefined) await probeStore(store.path);

  const server = dynalite({ ...store, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  // dynalite has one listener; Node's type for it is any function.
  const handle = listeners[0] as RequestListener;
  const running = new Set<Promise<void>>();
  let closing = false;
  server.on('request', async (request, response) => {
    if (!isFromLocalProgram(request, server)) return response.writeHead(403).end();
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body === 'too-large') return response.writeHead(413, { connection: 'close' }).end();
    if (body === 'aborted' || closing) return response.destroy();
    if (mayEnter !== undefined && !(await mayEnter(request, body))) {
      return response.writeHead(KEY_REFUSAL.status, KEY_REFUSAL.headers).end(KEY_REFUSAL.body);
    }
    const run = replay(request, body, response, handle);
    running.add(run);
    return run.finally(() => running.delete(run));
  });

  const endpoint = await listenOnLoopback(server, 0);
  return {
    endpoint,
    async close() {
      closing = true;
      await settleWithin(running, CLOSE_GRACE_MS);
      await closeServer(server, FLUSH_MS);
    },
  };
}

/**
 * Passes a request to dynalite with its whole body, and resolves when dynalite is done with it.
 *
 * dynalite rethrows a request's error, so a client that leaves in mid-body would end this process. It also goes on
 * writing for a client that has left: a store closed meanwhile would end the process and leave half a write.
 */
async function replay(
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  handle: RequestListener,
): Promise<void> {
  const { method, url, headers } = request;
  const whole = Object.assign(Readable.from([body]), { method, url, headers });
  const ended = whenEnded(response);
  // dynalite reads only these three members of a request, and the stream.
  handle(whole as unknown as IncomingMessage, response);
  await ended;
}

/** Resolves when `response.end` is called, even if the client has left and no event is emitted. */
function whenEnded(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const { end } = response;
    response.end = (...args: unknown[]) => {
      resolve();
      return Reflect.apply(end, response, args);
    };
  });
}

interface LevelStore {
  open(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens and closes the store once, so that a folder in use or not writable is an error here.
 *
 * dynalite opens the store in the background and would throw in its first request. LevelDB is resolved from dynalite,
 * which depends on it.
 */
async function probeStore(path: string): Promise<void> {
  const requireFromDynalite = createRequire(createRequire(import.meta.url).resolve('dynalite'));
  const { Level } = requireFromDynalite('level') as { Level: new (path: string) => LevelStore };
  try {
    await mkdir(path, { recursive: true, mode: OWNER_ONLY });
    // A folder of an earlier version may be open to others.
    await chmod(path, OWNER_ONLY);
    const store = new Level(path);
    await store.open();
    await store.close();
  } catch (error) {
    throw new StartError(`the store in ${path} ${whyUnusable(error)}`);
  }
}

function whyUnusable(error: unknown): string {
  const codes = [codeOf(error), error instanceof Error ? codeOf(error.cause) : undefined];
  if (codes.includes('LEVEL_LOCKED')) return 'is in use: stop the other process, or choose another data folder';
  if (codes.includes('EACCES') || codes.includes('EPERM') || codes.includes('EROFS'))
    return 'cannot be written: choose a data folder that can';
  if (codes.includes('ENOTDIR') || codes.includes('EEXIST')) return 'is not a folder: choose another data folder';
  return 'cannot be opened: choose another data folder, or move this one away to start again';
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
