import * as z from 'zod';

const headerSafe = z.string().regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');
const forcedStatus = z.int().min(200).max(599).nullable();
const seconds = z.number().min(-1e10).max(1e10);
const delay = z.int().min(0).max(3_600_000);

/** Faults of a token in a login's answer: left out, or of another form than a header can carry. */
const TOKEN_FAULTS = [
  ...(['normal', 'missing', 'empty', 'crlf', 'oversized', 'non-string'] as const),
  ...(['with-scheme', 'quoted', 'with-blank', 'long', 'too-long'] as const),
] as const;
/**
 * Codings of a login's answer, as `Content-Encoding` names them. `raw-deflate` is sent as `deflate`; `utf-8` and `none`
 * stand in the header and change nothing.
 */
const CODINGS = ['identity', 'gzip', 'deflate', 'raw-deflate', 'utf-8', 'none'] as const;
/** Charsets of an answer's body. */
const CHARSETS = ['utf-8', 'windows-1252'] as const;
/** Forms of a date in a header (RFC 9110 §5.6.7). */
const DATE_FORMS = ['imf', 'rfc850', 'asctime'] as const;

/** Knobs of every demo upstream, as zod fields; `credential` is each upstream's own. */
export const commonKnobFields = {
  loginStatus: forcedStatus,
  callStatus: forcedStatus,
  delayMs: delay,
  delayLoginMs: delay,
  delayCallMs: delay,
  reset: z.enum(['none', 'before', 'after']),
  hang: z.boolean(),
  slowDrip: z.boolean(),
  dripEveryMs: z.int().min(1).max(60_000),
  retryAfter: headerSafe.nullable(),
  retryAfterTimes: z.int().min(1).max(5),
  body: z.enum(['normal', 'html', 'gzip-bomb', 'empty', 'oversized', 'invalid-json']),
  token: z.enum(TOKEN_FAULTS),
  contentEncoding: z.enum(CODINGS),
  charset: z.enum(CHARSETS),
  needsUserAgent: z.boolean(),
  redirectTo: headerSafe.nullable(),
  lifetimeSeconds: seconds.min(0),
  revokeIssued: z.boolean(),
  clockOffsetSeconds: seconds,
  dateOffsetSeconds: seconds,
  dateHeader: z.boolean(),
  dateForm: z.enum(DATE_FORMS),
  lockAfter: z.int().min(1).nullable(),
  locked: z.boolean(),
  firewall: z
    .strictObject({
      status: z.int().min(400).max(599),
      body: z.enum(['html', 'json', 'empty']),
      seconds: z.number().min(0).nullable(),
    })
    .nullable(),
} as const;

const commonKnobs = z.strictObject(commonKnobFields);

/** Knobs of every demo upstream. */
export type CommonKnobs = z.infer<typeof commonKnobs>;

/** Defaults; each upstream adds its own lifetime. */
export const commonKnobDefaults = {
  loginStatus: null,
  callStatus: null,
  delayMs: 0,
  delayLoginMs: 0,
  delayCallMs: 0,
  reset: 'none',
  hang: false,
  slowDrip: false,
  dripEveryMs: 20,
  retryAfter: null,
  retryAfterTimes: 1,
  body: 'normal',
  token: 'normal',
  contentEncoding: 'identity',
  charset: 'utf-8',
  needsUserAgent: false,
  redirectTo: null,
  revokeIssued: false,
  clockOffsetSeconds: 0,
  dateOffsetSeconds: 0,
  dateForm: 'imf',
  dateHeader: true,
  lockAfter: null,
  locked: false,
  firewall: null,
} as const satisfies Omit<CommonKnobs, 'lifetimeSeconds'>;

/** Error for a change with an unknown knob or a value of the wrong type; the message names it. */
export class KnobError extends Error {
  override readonly name = 'KnobError';
}

/** Knobs of one running demo upstream. */
export interface KnobStore<Knobs> {
  /** Returns the current knobs, which are never changed in place. */
  read(): Readonly<Knobs>;
  /** Merges `change` and returns all knobs. Throws KnobError and changes nothing if any of it is wrong. */
  change(change: unknown): Readonly<Knobs>;
  /** Counts wrong logins in a row, and locks the account at `lockAfter`; a correct one ends the row. */
  noteLogin(isCorrect: boolean): void;
}

/**
 * Creates a store of knobs that are always valid by `schema`. `revokeAll` is called for `revokeIssued`, which is reset.
 * Throws KnobError if `defaults` with `overrides` is not valid.
 */
export function createKnobStore<Knobs extends CommonKnobs>(options: {
  readonly schema: z.ZodType<Knobs>;
  readonly defaults: Knobs;
  readonly overrides: unknown;
  readonly revokeAll: () => void;
}): KnobStore<Knobs> {
  const known = Object.keys(options.defaults);
  let current = options.schema.parse(options.defaults);
  let wrongLogins = 0;

  function change(change: unknown): Readonly<Knobs> {
    if (typeof change !== 'object' || change === null || Array.isArray(change)) {
      throw new KnobError('knobs are changed with a JSON object of knob names and values');
    }
    const unknownNames = Object.keys(change).filter((name) => !known.includes(name));
    if (unknownNames.length > 0) {
      throw new KnobError(`unknown knob ${unknownNames.map(quoted).join(', ')}; the knobs are ${known.join(', ')}`);
    }
    const parsed = options.schema.safeParse({ ...current, ...change });
    if (!parsed.success) {
      throw new KnobError(parsed.error.issues.map(describeIssue).join('; '));
    }
    const { locked, revokeIssued } = parsed.data;
    if (current.locked && !locked) wrongLogins = 0;
    if (revokeIssued) options.revokeAll();
    current = { ...parsed.data, revokeIssued: false };
    return current;
  }

  change(options.overrides ?? {});
  return {
    read: () => current,
    change,
    noteLogin(isCorrect) {
      wrongLogins = isCorrect ? 0 : wrongLogins + 1;
      const { lockAfter } = current;
      if (!isCorrect && lockAfter !== null && wrongLogins >= lockAfter) change({ locked: true });
    },
  };
}

/** Shortens an echoed name, so that an answer cannot grow with the request. */
function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}

function describeIssue(issue: z.core.$ZodIssue): string {
  return `knob ${issue.path.map(String).join('.')}: ${issue.message}`;
}
