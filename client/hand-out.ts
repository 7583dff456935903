import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import * as z from 'zod/mini';

const headerValue = z.string().check(z.regex(/^[\x20-\x7e]+$/));

const handOutSchema = z.object({
  access_token: z.string().check(z.minLength(1)),
  token_type: z.string(),
  expires_in: z.number(),
  expires_at: z.iso.datetime(),
  issued_at: z.iso.datetime(),
  refresh_at: z.iso.datetime(),
  connection: z.string(),
  subject: z.string(),
  generation: z.number(),
  source: z.string(),
  headers: z.record(z.string(), headerValue),
  attributes: z.record(z.string(), z.unknown()),
});

/** A hand-out as the broker answers it. */
export type WireHandOut = z.infer<typeof handOutSchema>;

/**
 * One token, handed out. Times are epoch milliseconds, as the broker's clock has them. `token` and `headers` are there
 * to be used, and are not shown when the whole is printed or turned into JSON: those show the token hash.
 */
export interface HandOut {
  readonly token: string;
  /** To be spread into a request to the upstream as it is. */
  readonly headers: Readonly<Record<string, string>>;
  /** `Bearer`, or `N_A` where the token has a header of its own. */
  readonly tokenType: string;
  readonly expiresAt: number;
  readonly issuedAt: number;
  readonly refreshAt: number;
  readonly connection: string;
  readonly subject: string;
  readonly generation: number;
  /** `cache`, `login` or `slide`: what the request set off. */
  readonly source: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The first 12 hex digits of the token's SHA-256, by which logs name it. */
  readonly tokenHash: string;
  /** The broker's answer as it came, the token in it. */
  toWire(): WireHandOut;
}

/** Reads the answer of a hand-out; undefined where it is none. */
export function handOutOf(json: unknown): HandOut | undefined {
  const parsed = handOutSchema.safeParse(json);
  return parsed.success ? createHandOut(parsed.data) : undefined;
}

/** SHA-256 of a token's UTF-8 bytes in lowercase hex, as a rejection names it. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** The first 12 hex digits of a token's hash: the name it has in logs. */
export function tokenHashOf(token: string): string {
  return hashOf(token).slice(0, 12);
}

function createHandOut(wire: WireHandOut): HandOut {
  const shown = {
    tokenType: wire.token_type,
    expiresAt: Date.parse(wire.expires_at),
    issuedAt: Date.parse(wire.issued_at),
    refreshAt: Date.parse(wire.refresh_at),
    connection: wire.connection,
    subject: wire.subject,
    generation: wire.generation,
    source: wire.source,
    attributes: wire.attributes,
    tokenHash: tokenHashOf(wire.access_token),
  };
  const hidden = { token: wire.access_token, headers: wire.headers, toWire: () => wire, [inspect.custom]: () => shown };
  return Object.defineProperties({ ...shown, token: '', headers: {}, toWire: () => wire }, notEnumerable(hidden));
}

function notEnumerable(values: object): PropertyDescriptorMap {
  return Object.fromEntries(
    Reflect.ownKeys(values).map((key) => [key, { value: Reflect.get(values, key), enumerable: false }]),
  );
}
