import { Writable } from 'node:stream';
import * as z from 'zod';
import type { Kind, Sample } from '../../client/dashboard/history.ts';
import { createTally } from './tally.ts';

/** Counts for one connection since the start. */
export interface Counts {
  /** Tokens handed out, to callers and to the proxy. */
  handOuts: number;
  /** Logins sent to the upstream, successful or not. */
  logins: number;
  /** Slides sent, and slid tokens from proxied calls. */
  slides: number;
  /** Attempts to get a token that failed, and proxied calls that the broker answered with an error. */
  failures: number;
}

/** Events by the message that tells of them; a hand-out is told by its audit record. */
const kindByMessage = new Map([
  ['A token was published.', 'login'],
  ['A slid token was taken up.', 'slide'],
  ['An attempt to get a token failed.', 'failure'],
  ['A slot was purged.', 'purge'],
  ['A secret has a new version.', 'rotation'],
  ['A request was answered with an error.', 'call'],
]);

/** Route of a proxied call, which names its connection. */
const PROXY_ROUTE = /^\S+ \/proxy\/([a-z0-9][a-z0-9_-]*)\//;

const text = z.string().optional().catch(undefined);
const partsSchema = z.object({
  connection: z.string().catch(''),
  subject: text,
  generation: z.number().optional().catch(undefined),
  /** Source of a hand-out or a publication: `cache`, `login`, `slide` or `refresh`. */
  source: text,
  code: text,
  token: text,
  tokenHash: text,
});

/** One event. `times` counts equal events in a row, `at` is the time of the latest, in epoch milliseconds. */
export interface ActivityEvent extends Found {
  readonly id: number;
  at: number;
  times: number;
}

interface Found extends Omit<z.infer<typeof partsSchema>, 'token' | 'tokenHash'> {
  readonly kind: string;
  /** Token hash: the first 12 hex digits of the token's SHA-256. */
  readonly token_hash: string | undefined;
}

/** Counts and events from the functions' log. */
export interface Activity {
  /** Stream that reads the functions' log lines and forwards every byte. */
  readonly log: Writable;
  countsOf(connection: string): Readonly<Counts>;
  /** Returns at most 60 events, newest first. */
  events(): readonly Readonly<ActivityEvent>[];
  /** Returns the audit records of the last 1,000 hand-outs, newest first, as the log has them. */
  handOuts(): readonly Line[];
  /** Returns what was counted by the minute, of the last 24 hours. */
  samples(): readonly Sample[];
}

type Line = Readonly<Record<string, unknown>>;

const EVENTS_KEPT = 60;
const HAND_OUTS_KEPT = 1_000;
/** Limit on a line, against one that never ends. */
const LONGEST_LINE = 1_000_000;

const kindByCount = {
  handOuts: 'hand_outs',
  logins: 'logins',
  slides: 'slides',
  failures: 'failures',
} as const satisfies Record<keyof Counts, Kind>;

const countByMetric = {
  HandOuts: 'handOuts',
  LoginLatency: 'logins',
  SlideLatency: 'slides',
  BackOffs: 'failures',
} as const satisfies Record<string, keyof Counts>;

/**
 * Creates the counts from the functions' log: metrics (CloudWatch embedded metric format) give the numbers, messages
 * give the events. Lines that are not JSON are forwarded and not counted.
 */
export function createActivity(output: Writable, now: () => number = Date.now): Activity {
  const counts = new Map<string, Counts>();
  const events: ActivityEvent[] = [];
  const handOuts: Line[] = [];
  const tally = createTally(now);
  let lastId = 0;
  let unfinished = '';

  function countsOf(connection: string): Counts {
    const known = counts.get(connection) ?? { handOuts: 0, logins: 0, slides: 0, failures: 0 };
    counts.set(connection, known);
    return known;
  }

  function addOne(connection: string, name: keyof Counts, code: unknown): void {
    countsOf(connection)[name] += 1;
    const known = typeof code === 'string' ? code : undefined;
    tally.add({ connection, kind: kindByCount[name], count: 1, code: known });
  }

  function count(line: Line): void {
    const connection = line['connection'];
    if (typeof connection !== 'string') return;
    for (const [metric, name] of Object.entries(countByMetric)) {
      const value = line[metric];
      // Metrics that were collected before they were written are a list.
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      for (const single of values) if (typeof single === 'number') addOne(connection, name, line['code']);
    }
  }

  function note(found: Found): void {
    const [latest] = events;
    if (latest !== undefined && isLike(latest, found)) {
      latest.times += 1;
      latest.at = now();
      return;
    }
    lastId += 1;
    events.unshift({ id: lastId, at: now(), times: 1, ...found });
    events.length = Math.min(events.length, EVENTS_KEPT);
  }

  function read(text: string): void {
    const line = jsonObject(text);
    if (line === undefined) return;
    if (line['_aws'] !== undefined) count(line);
    const audit = line['audit'];
    if (isObject(audit)) {
      handOuts.unshift(audit);
      handOuts.length = Math.min(handOuts.length, HAND_OUTS_KEPT);
    }
    const found = eventIn(line);
    if (found?.kind === 'call') addOne(found.connection, 'failures', found.code);
    if (found !== undefined) note(found);
  }

  const log = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, encoding, done) {
      const lines = (unfinished + chunk.toString()).split('\n');
      unfinished = lines.pop() ?? '';
      if (unfinished.length > LONGEST_LINE) unfinished = '';
      for (const line of lines) read(line);
      if (typeof chunk === 'string') output.write(chunk, encoding);
      else output.write(chunk);
      // Synchronous, so that a line reaches the output before the call that wrote it returns.
      done();
    },
  });
  return { log, countsOf, events: () => events, handOuts: () => handOuts, samples: tally.samples };
}

function isLike(event: ActivityEvent, found: Found): boolean {
  const parts = ['kind', 'connection', 'subject', 'token_hash', 'generation', 'source', 'code'] as const;
  return parts.every((part) => event[part] === found[part]);
}

function eventIn(line: Line): Found | undefined {
  const audit = line['audit'];
  if (isObject(audit)) return { kind: 'hand-out', ...partsOf(audit) };
  const kind = kindByMessage.get(String(line['message']));
  if (kind === undefined) return undefined;
  if (kind === 'call') return failedCallIn(line);
  const { source, code = 'internal', ...slot } = partsOf(line);
  if (kind === 'login' && (source === 'slide' || source === 'refresh')) return { kind: source, ...slot };
  return { kind, ...slot, ...(kind === 'failure' && { code }) };
}

/** Reads a proxied call that was answered with an error; undefined for a request of another route. */
function failedCallIn(line: Line): Found | undefined {
  const [, connection] = PROXY_ROUTE.exec(String(line['route'])) ?? [];
  return connection === undefined ? undefined : { kind: 'call', ...partsOf(line), connection };
}

function partsOf(line: Line): Omit<Found, 'kind'> {
  const { token, tokenHash = token, ...parts } = partsSchema.parse(line);
  return { ...parts, token_hash: tokenHash };
}

function isObject(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonObject(text: string): Line | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
