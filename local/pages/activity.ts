import { Writable } from 'node:stream';

/** Counts for one connection since the start. */
export interface Counts {
  /** Tokens handed out, to callers and to the proxy. */
  handOuts: number;
  /** Logins sent to the upstream, successful or not. */
  logins: number;
  /** Slides sent, and slid tokens from proxied calls. */
  slides: number;
  /** Attempts to get a token that failed. */
  failures: number;
}

export type ActivityKind = 'hand-out' | 'login' | 'slide' | 'failure' | 'purge' | 'rotation';

/** One event. `times` counts equal events in a row. */
export interface ActivityEvent {
  readonly id: number;
  readonly kind: ActivityKind;
  readonly connection: string;
  /** Time of the latest of them, in epoch milliseconds. */
  at: number;
  times: number;
  readonly subject?: string;
  /** Token hash: the first 12 hex digits of the token's SHA-256. */
  readonly token_hash?: string;
  readonly generation?: number;
  /** Source of a hand-out: `cache`, `login` or `slide`. */
  readonly source?: string;
  readonly code?: string;
}

/** Counts and events from the functions' log. */
export interface Activity {
  /** Stream that reads the functions' log lines and forwards every byte. */
  readonly log: Writable;
  countsOf(connection: string): Readonly<Counts>;
  /** Returns at most 60 events, newest first. */
  events(): readonly Readonly<ActivityEvent>[];
}

type Line = Readonly<Record<string, unknown>>;
type Found = Omit<ActivityEvent, 'id' | 'at' | 'times'>;

const EVENTS_KEPT = 60;
/** Limit on a line, against one that never ends. */
const LONGEST_LINE = 1_000_000;

const countByMetric = {
  HandOuts: 'handOuts',
  Logins: 'logins',
  Slides: 'slides',
  BackOffs: 'failures',
} as const satisfies Record<string, keyof Counts>;

/**
 * Creates the counts from the functions' log: metrics (CloudWatch embedded metric format) give the numbers, messages
 * give the events. Lines that are not JSON are forwarded and not counted.
 */
export function createActivity(output: Writable, now: () => number = Date.now): Activity {
  const counts = new Map<string, Counts>();
  const events: ActivityEvent[] = [];
  let lastId = 0;
  let unfinished = '';

  function countsOf(connection: string): Counts {
    const known = counts.get(connection) ?? { handOuts: 0, logins: 0, slides: 0, failures: 0 };
    counts.set(connection, known);
    return known;
  }

  function count(line: Line): void {
    const connection = line['connection'];
    if (typeof connection !== 'string') return;
    for (const [metric, name] of Object.entries(countByMetric)) {
      const value = line[metric];
      // Metrics that were collected before they were written are a list.
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      for (const single of values) if (typeof single === 'number') countsOf(connection)[name] += single;
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
    const found = eventIn(line);
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
  return { log, countsOf, events: () => events };
}

function isLike(event: ActivityEvent, found: Found): boolean {
  const parts = ['kind', 'connection', 'subject', 'token_hash', 'generation', 'source', 'code'] as const;
  return parts.every((part) => event[part] === found[part]);
}

function eventIn(line: Line): Found | undefined {
  const audit = line['audit'];
  if (isObject(audit)) {
    const source = textOf(audit['source']);
    return { ...slotIn(audit, 'token'), kind: 'hand-out', ...(source === undefined ? {} : { source }) };
  }
  switch (line['message']) {
    case 'A token was published.':
      return { ...slotIn(line, 'tokenHash'), kind: line['source'] === 'slide' ? 'slide' : 'login' };
    case 'A slid token was taken up.':
      return { ...slotIn(line, 'tokenHash'), kind: 'slide' };
    case 'An attempt to get a token failed.':
      return { ...slotIn(line, 'tokenHash'), kind: 'failure', code: textOf(line['code']) ?? 'internal' };
    case 'A slot was purged.':
      return { ...slotIn(line, 'tokenHash'), kind: 'purge' };
    case 'A secret has a new version.':
      return { ...slotIn(line, 'tokenHash'), kind: 'rotation' };
    default:
      return undefined;
  }
}

function slotIn(
  line: Line,
  hashName: 'token' | 'tokenHash',
): Pick<Found, 'connection' | 'subject' | 'token_hash' | 'generation'> {
  const { subject, generation } = line;
  const tokenHash = textOf(line[hashName]);
  return {
    connection: textOf(line['connection']) ?? '',
    ...(typeof subject === 'string' ? { subject } : {}),
    ...(typeof generation === 'number' ? { generation } : {}),
    ...(tokenHash === undefined ? {} : { token_hash: tokenHash }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
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
