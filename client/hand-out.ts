import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import * as z from 'zod/mini';

const headerName = z.string().check(z.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/));
const headerValue = z.string().check(z.regex(/^[\x20-\x7e]+$/));

const handOutSchema = z.object({
  access_token: headerValue,
  token_type: z.string(),
  expires_in: z.number(),
  expires_at: z.iso.datetime(),
  issued_at: z.iso.datetime(),
  refresh_at: z.iso.datetime(),
  connection: z.string(),
  subject: z.string(),
  generation: z.number(),
  source: z.string(),
  headers: z.record(headerName, headerValue),
  query: z.optional(z.record(z.string(), z.string())),
  base_url: z.optional(z.string().check(z.regex(/^https?:\/\/[\x21-\x7e]+$/))),
  attributes: z.record(z.string(), z.unknown()),
});

/** Hand-out in the broker's JSON. */
export type WireHandOut = z.infer<typeof handOutSchema>;

/**
 * One token, handed out. Times are epoch milliseconds by the broker's clock. Printing it or turning it into JSON leaves
 * out `token`, `headers` and `query` and shows the token hash.
 */
export interface HandOut {
  readonly token: string;
  /** Headers for a request to the upstream, with the token in place. */
  readonly headers: Readonly<Record<string, string>>;
  /** Query parameters for a request, the token among them where it goes there; none for most providers. */
  readonly query: Readonly<Record<string, string>>;
  /** Base URL of the API, where the login's answer says it. */
  readonly baseUrl?: string;
  /** `Bearer`, or `N_A` where the token has a header of its own. */
  readonly tokenType: string;
  readonly expiresAt: number;
  readonly issuedAt: number;
  readonly refreshAt: number;
  readonly connection: string;
  readonly subject: string;
  readonly generation: number;
  /** Origin of the token: `cache`, `login`, `slide` or `refresh`. */
  readonly source: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Token hash: the first 12 hex digits of the token's SHA-256, as in logs. */
  readonly tokenHash: string;
  /** Returns the broker's answer, with the token. */
  toWire(): WireHandOut;
}

/** Reads a hand-out from JSON; undefined if it is none. */
export function handOutOf(json: unknown): HandOut | undefined {
  const parsed = handOutSchema.safeParse(json);
  return parsed.success ? createHandOut(parsed.data) : undefined;
}

/** Computes the SHA-256 of a token's UTF-8 bytes in lowercase hex, as `reject` takes it. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** Computes the token hash shown to people: the first 12 hex digits of the SHA-256, as in logs. */
export function tokenHashOf(token: string): string {
  return shortHashOf(hashOf(token));
}

/** Shortens a SHA-256 in hex to the token hash. */
export function shortHashOf(sha256: string): string {
  return sha256.slice(0, 12);
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
    ...(wire.base_url === undefined ? {} : { baseUrl: wire.base_url }),
    attributes: wire.attributes,
    tokenHash: tokenHashOf(wire.access_token),
  };
  const { access_token: token, headers, query = {} } = wire;
  const hidden = { token, headers, query, toWire: () => wire, [inspect.custom]: () => shown };
  return Object.defineProperties(
    { ...shown, token: '', headers: {}, query: {}, toWire: () => wire },
    notEnumerable(hidden),
  );
}

function notEnumerable(values: object): PropertyDescriptorMap {
  return Object.fromEntries(
    Reflect.ownKeys(values).map((key) => [key, { value: Reflect.get(values, key), enumerable: false }]),
  );
}
