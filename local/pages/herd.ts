import { randomUUID } from 'node:crypto';
import type { SlotName } from '../../client/broker-api.ts';
import type { ActionResult } from '../../client/dashboard/slot-actions.ts';
import { handOutOf } from '../../client/hand-out.ts';
import type { ApiHandler } from '../../functions/api/function.ts';
import { createEvent } from '../gateway/event.ts';
import { responseFromResult } from '../gateway/response.ts';
import { invoke } from '../lambda/invoke.ts';

/** Result of many concurrent callers for one slot. */
export interface HerdResult {
  readonly ok: boolean;
  readonly callers: number;
  /** Number of function instances that the callers were spread over, all without knowledge of the slot. */
  readonly instances: number;
  readonly answered: number;
  /** Number of different tokens that they got. */
  readonly tokens: number;
  /** Number of logins at the upstream meanwhile on this connection. */
  readonly logins: number;
  readonly elapsed_ms: number;
  /** Codes of the failures, each once. */
  readonly codes: readonly string[];
}

const CALLERS = 200;
const INSTANCES = 8;
const RESOURCE = '/tokens/{connection}/{subject}';
const TIMEOUT_MS = 27_000;

/**
 * Creates the herd: 200 callers ask at once for a slot without a token, spread over 8 new instances of the token
 * function, which share only the table. `purge` empties the slot first; `loginsOf` counts the upstream's logins.
 */
export function createHerd(parts: {
  readonly composeTokenFunction: () => ApiHandler;
  readonly caller: string;
  readonly purge: (slot: SlotName) => Promise<ActionResult>;
  readonly loginsOf: (connection: string) => number;
}): (slot: SlotName) => Promise<HerdResult> {
  return async (slot) => {
    await parts.purge(slot);
    const instances = Array.from({ length: INSTANCES }, () => parts.composeTokenFunction());
    const loginsBefore = parts.loginsOf(slot.connection);
    const began = performance.now();
    const asked = Array.from({ length: CALLERS / INSTANCES }, () => instances).flat();
    const results = await Promise.all(asked.map((handler) => ask(handler, slot, parts.caller)));
    const tokenHashes = new Set(results.flatMap(({ tokenHash }) => (tokenHash === undefined ? [] : [tokenHash])));
    const answered = results.filter(({ tokenHash }) => tokenHash !== undefined).length;
    return {
      ok: answered === results.length,
      callers: results.length,
      instances: instances.length,
      answered,
      tokens: tokenHashes.size,
      logins: parts.loginsOf(slot.connection) - loginsBefore,
      elapsed_ms: Math.round(performance.now() - began),
      codes: [...new Set(results.flatMap(({ code }) => (code === undefined ? [] : [code])))],
    };
  };
}

/** Result of one caller of the herd. */
interface Asked {
  readonly tokenHash?: string;
  readonly code?: string;
}

async function ask(handler: ApiHandler, { connection, subject }: SlotName, caller: string): Promise<Asked> {
  const path = `/tokens/${connection}/${subject}`;
  const requestId = randomUUID();
  const route = { method: 'GET', resource: RESOURCE, functionName: 'token', handler, timeoutMs: TIMEOUT_MS } as const;
  const event = createEvent({
    received: {
      method: 'GET',
      rawPath: path,
      path,
      rawQueryString: '',
      headers: new Map([['host', '127.0.0.1']]),
      lines: [['Host', '127.0.0.1']],
      authority: undefined,
    },
    match: { route: { ...route, authorization: 'AWS_IAM' }, pathParameters: { connection, subject } },
    body: Buffer.alloc(0),
    caller,
    requestId,
    sourceIp: '127.0.0.1',
    httpVersion: '1.1',
    port: 80,
    time: Date.now(),
  });
  const outcome = await invoke(route, event, { requestId });
  if (outcome.kind !== 'returned') return { code: 'internal' };
  const json: unknown = JSON.parse(responseFromResult(outcome.value).body.toString());
  const handOut = handOutOf(json);
  if (handOut !== undefined) return { tokenHash: handOut.tokenHash };
  const isProblem = typeof json === 'object' && json !== null && 'code' in json;
  return { code: isProblem ? String(json.code) : 'internal' };
}
