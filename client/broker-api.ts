import * as z from 'zod/mini';
import { jsonOf } from './answer.ts';
import { TokenBrokerError } from './error.ts';
import { type HandOut, handOutOf } from './hand-out.ts';
import { type RetryBudget, type RetryDependencies, withRetries } from './retry.ts';
import { type Answer, type BrokerRequest, type Transport, withTransportErrors } from './transport.ts';
import { type Tried, triedSchema } from './trial.ts';

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const SUBJECT = /^[A-Za-z0-9._~@-]{1,128}$/;

/** Name of a slot: connection and subject. */
export interface SlotName {
  readonly connection: string;
  readonly subject: string;
}

const connectionSchema = z.object({
  name: z.string().check(z.regex(NAME)),
  provider: z.string(),
  lifetime_seconds: z.number(),
  warning: z.optional(z.string()),
});
const connectionsSchema = z.object({ connections: z.array(connectionSchema) });
const time = z.nullable(z.iso.datetime());
const failureSchema = z.object({ code: z.string(), at: z.iso.datetime(), evidence: z.optional(z.string()) });
const slotSchema = z.object({
  subject: z.string().check(z.regex(SUBJECT)),
  state: z.string(),
  issued_at: time,
  expires_at: time,
  refresh_at: time,
  generation: z.number(),
  last_error: z.nullable(failureSchema),
  warning: z.optional(z.string()),
});
const signingKeySchema = z.object({
  algorithm: z.string(),
  type: z.string(),
  curve: z.optional(z.string()),
  bits: z.optional(z.number()),
  words: z.string(),
});
const secretFieldSchema = z.object({
  name: z.string(),
  kind: z.string(),
  required: z.boolean(),
  without: z.optional(z.string()),
  suspect: z.optional(z.string()),
  rotates: z.optional(z.boolean()),
  key: z.optional(signingKeySchema),
});
const usersSchema = z.object({
  key: z.string(),
  pattern: z.string(),
  words: z.string(),
  listed: z.nullable(z.array(z.string())),
});
const statusSchema = z.extend(connectionSchema, {
  /** Name or ARN of the secret. Absent from a broker that does not tell it. */
  secret: z.optional(z.string()),
  secret_fields: z.array(secretFieldSchema),
  kept_secret: z.optional(z.string()),
  subjects: z.object({ system: z.boolean(), users: z.nullable(usersSchema) }),
  /** Absent from a broker that tries no candidates. */
  credential: z.optional(
    z.object({ standing: z.string(), takes_candidates: z.boolean(), failed_candidate: z.optional(failureSchema) }),
  ),
  slots: z.array(slotSchema),
  next: z.optional(z.string()),
});

/** One connection as the broker lists it. */
export type ConnectionSummary = z.infer<typeof connectionSchema>;
/** One slot as the broker shows it to operators: never its token. */
export type SlotStatus = z.infer<typeof slotSchema>;
/** One field of a connection's secret. */
export type SecretField = z.infer<typeof secretFieldSchema>;
/** A connection with all of its slots, the fields of its secret and the subjects that it serves. */
export type ConnectionStatus = Omit<z.infer<typeof statusSchema>, 'next'>;
/** A connection with the first of its slots, and whether there are more. */
export type FirstSlots = ConnectionStatus & { readonly hasMore: boolean };

/** The broker's routes, one call each. All reject with a `TokenBrokerError`. */
export interface BrokerApi {
  handOut(slot: SlotName, options: { readonly minTtlSeconds?: number | undefined } & RetryBudget): Promise<HandOut>;
  /** Reports a token that the upstream answered 401 to, by its hash. */
  reject(slot: SlotName, rejectedHash: string, budget: RetryBudget): Promise<HandOut>;
  purge(slot: SlotName, budget: RetryBudget): Promise<void>;
  connections(budget: RetryBudget): Promise<readonly ConnectionSummary[]>;
  status(connection: string, budget: RetryBudget): Promise<ConnectionStatus>;
  /** Tries one login, with `candidate` by the secret's candidate. Sent once and never again, since each is a login. */
  tryLogin(slot: SlotName, options: { readonly candidate?: boolean | undefined } & RetryBudget): Promise<Tried>;
  /** Gets a connection with the first page of its slots, at most 100. For frequent polling. */
  firstSlots(connection: string, budget: RetryBudget): Promise<FirstSlots>;
}

/** Limit on pages, above any real listing: ends a listing that never ends. */
const MOST_PAGES = 1_000;

/**
 * Creates the calls of the broker's API. All but a try are safe to repeat and are retried by `withRetries`: a rejection
 * names one token by its hash, and a purge of an empty slot does nothing.
 */
export function createBrokerApi({
  transport,
  ...dependencies
}: RetryDependencies & { readonly transport: Transport<Answer> }): BrokerApi {
  function ask<T>(request: BrokerRequest, budget: RetryBudget, read: (json: unknown) => T | undefined): Promise<T> {
    return withRetries(dependencies, budget, (leftMs) =>
      // The limit includes the body, so that an answer that drips times out.
      withTransportErrors({ timeoutMs: leftMs, signal: budget.signal, what: 'the broker' }, async (signal) => {
        const response = await transport(request, { timeoutMs: leftMs, signal });
        const value = read(await jsonOf(response));
        if (value !== undefined) return value;
        throw new TokenBrokerError('invalid_answer', "The answer is not the broker's: check the URL.", {
          status: response.status,
        });
      }),
    );
  }

  async function page(connection: string, next: string | undefined, budget: RetryBudget) {
    const query = next === undefined ? '' : `?next=${encodeURIComponent(next)}`;
    return ask({ method: 'GET', target: `/connections/${checkedName(connection)}${query}` }, budget, (json) => {
      return statusSchema.safeParse(json).data;
    });
  }

  return {
    async handOut(slot, { minTtlSeconds, ...budget }) {
      const query = minTtlSeconds === undefined ? '' : `?min_ttl=${minTtlSeconds}`;
      return ask({ method: 'GET', target: `${tokenPath(slot)}${query}` }, budget, (json) => handOutFor(slot, json));
    },
    async reject(slot, rejectedHash, budget) {
      const request = {
        method: 'POST',
        target: tokenPath(slot),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ rejected: rejectedHash }),
      };
      return ask(request, budget, (json) => handOutFor(slot, json));
    },
    async purge(slot, budget) {
      await ask({ method: 'DELETE', target: tokenPath(slot) }, budget, (json) => json === undefined || undefined);
    },
    async connections(budget) {
      const request = { method: 'GET', target: '/connections' };
      return ask(request, budget, (json) => connectionsSchema.safeParse(json).data?.connections);
    },
    async status(connection, budget) {
      const slots: SlotStatus[] = [];
      let next: string | undefined;
      for (let pages = 0; pages < MOST_PAGES; pages += 1) {
        const { next: after, slots: more, ...summary } = await page(connection, next, budget);
        slots.push(...more);
        if (after === undefined) return { ...summary, slots };
        next = after;
      }
      throw new TokenBrokerError('invalid_answer', 'The list of slots does not end.');
    },
    async tryLogin({ connection, subject }, { candidate = false, ...budget }) {
      const request = {
        method: 'POST',
        target: `/connections/${checkedName(connection)}/try`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ subject: checkedSubject(subject), ...(candidate && { candidate }) }),
      };
      return ask(request, { ...budget, attempts: 1 }, (json) => triedSchema.safeParse(json).data);
    },
    async firstSlots(connection, budget) {
      const { next, ...status } = await page(connection, undefined, budget);
      return { ...status, hasMore: next !== undefined };
    },
  };
}

/** Builds the path of a slot's token. Throws a `usage` error for a name that no connection or subject can have. */
export function tokenPath(slot: SlotName): string {
  return `/tokens/${slotPath(slot)}`;
}

/** Builds the part of a path that names a slot. Throws as `tokenPath` does. */
export function slotPath({ connection, subject }: SlotName): string {
  return `${checkedName(connection)}/${checkedSubject(subject)}`;
}

function checkedSubject(subject: string): string {
  if (!SUBJECT.test(subject) || /^\.+$/.test(subject)) {
    throw new TokenBrokerError(
      'usage',
      'The subject is `system`, or a user as the connection writes them, such as 88.',
    );
  }
  return subject;
}

function checkedName(connection: string): string {
  if (NAME.test(connection)) return connection;
  throw new TokenBrokerError('usage', 'A connection is named by lowercase letters, digits, `_` and `-`, 63 at most.');
}

/** Reads a hand-out; undefined if it is for another slot, so that tokens of subjects do not mix. */
function handOutFor({ connection, subject }: SlotName, json: unknown): HandOut | undefined {
  const handOut = handOutOf(json);
  return handOut?.connection === connection && handOut.subject === subject ? handOut : undefined;
}
