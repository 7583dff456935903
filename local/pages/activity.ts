import { Writable } from 'node:stream';

/** What happened on one connection since the start. */
export interface Counts {
  /** Tokens handed out, to callers and to the proxy. */
  handOuts: number;
  /** Logins that were sent to the upstream, whatever came of them. */
  logins: number;
  /** Slides that were sent, and slid tokens that proxied calls brought. */
  slides: number;
  /** Attempts to get a token that failed. */
  failures: number;
}

export type ActivityKind = 'hand-out' | 'login' | 'slide' | 'failure' | 'purge' | 'rotation';

/** One thing that happened. `times` counts like ones that followed each other. */
export interface ActivityEvent {
  readonly id: number;
  readonly kind: ActivityKind;
  readonly connection: string;
  /** Epoch milliseconds; of the latest, where there were several. */
  at: number;
  times: number;
  readonly subject?: string;
  /** The first 12 hex digits of the token's SHA-256. */
  readonly token_hash?: string;
  readonly generation?: number;
  /** Of a hand-out: `cache`, `login` or `slide`. */
  readonly source?: string;
  readonly code?: string;
}

/** What the functions said they did, counted. */
export interface Activity {
  /** Takes the functions' log lines and passes every byte on. */
  readonly log: Writable;
  countsOf(connection: string): Readonly<Counts>;
  /** Newest first, at most 60. */
  events(): readonly Readonly<ActivityEvent>[];
}

type Line = Readonly<Record<string, unknown>>;
type Found = Omit<ActivityEvent, 'id' | 'at' | 'times'>;

const EVENTS_KEPT = 60;
/** A line that never ends is no line of a log. */
const LONGEST_LINE = 1_000_000;

const countByMetric = {
  HandOuts: 'handOuts',
  Logins: 'logins',
  Slides: 'slides',
  BackOffs: 'failures',
} as const satisfies Record<string, keyof Counts>;

/**
 * Counts from the log that the functions write: their metrics (CloudWatch embedded metric format) give the numbers,
 * their messages the events. What is no JSON line is passed on and not counted.
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
      // Metrics that were collected before they were written out come as a list.
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
      // A line is with the output before the call that wrote it returns, as it would be without this between.
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
