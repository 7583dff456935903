import type { JsonValue } from '../words/json.ts';
import type { Connection } from './connection.ts';
import { isLocked, isRejected, liveLease, type SlotRecord } from './record.ts';

/**
 * Report of one login, step by step, for an operator who tries it. It holds names and shapes only: in place of a field
 * of the secret, of a token and of whatever an answer gave stands its name, such as `{password}`. Plain JSON, which
 * travels from `mint` to the operator as it is.
 */
export type Trial = {
  readonly derived: readonly TriedValue[];
  readonly steps: readonly TriedStep[];
  /** Absent where the login brought none. */
  readonly token?: TriedToken;
};

/** A value computed for the login. */
export type TriedValue = {
  readonly name: string;
  /** `text`, `base64`, `jwt`, `digest` and so on, as the provider has it. */
  readonly kind: string;
  readonly length: number;
  /** Header and claims of a JWT. */
  readonly header?: JsonValue;
  readonly claims?: JsonValue;
};

/** One request of the chain and what came of it. */
export type TriedStep = {
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: { readonly [name: string]: string };
    /** JSON, the members of a form, or XML as text. */
    readonly body?: JsonValue;
    readonly certificate?: string;
  };
  /** The answer, if one came. */
  readonly answer?: {
    readonly status: number;
    readonly headers: { readonly [name: string]: readonly string[] };
    readonly body: JsonValue;
  };
  /** Why no answer came, and whether the request was sent. */
  readonly failure?: { readonly reason: string; readonly sent: boolean };
  readonly reads: readonly TriedReading[];
  readonly judged?: TriedVerdict;
};

/** A value that a step was to read. */
export type TriedReading = {
  readonly name: string;
  /** Place in the answer, such as `body session.id`. */
  readonly from: string;
  /** `text`, `number`, `boolean`, `list`, `object`; `missing`; or why it cannot be used. */
  readonly type: string;
  /** Characters of a text or number. */
  readonly length?: number;
};

/** The rule that judged an answer, and what the answer means by it. */
export type TriedVerdict = {
  /** `answers[0]`, `refusal`, `oauth`, `status`, or `token`: nothing said no, and there was no usable token. */
  readonly by: string;
  readonly means: string;
  readonly evidence?: string;
};

/** The token that a login brought. */
export type TriedToken = {
  readonly length: number;
  /** ISO 8601. */
  readonly expires_at: string;
  /** The end that counts: `lifetime[0]` of the provider, or `maxTokenAgeSeconds`. */
  readonly end: { readonly by: string; readonly says: string };
  /** Headers, query and base URL of an API call. */
  readonly placed: {
    readonly headers: { readonly [name: string]: string };
    readonly query: { readonly [name: string]: string };
    readonly base_url: string;
  };
};

/** The reason why no login of a slot may be tried now, and when it may be. Epoch milliseconds. */
export interface TrialBar {
  readonly why: 'leased' | 'backing_off' | 'young';
  readonly until: number;
}

/**
 * Finds what bars an operator from trying a candidate: an attempt under way, or an account that says it is locked. The
 * other back-offs are of another version, and end when a new one becomes current.
 */
export function findCandidateTrialBar(record: SlotRecord | undefined, now: number): TrialBar | undefined {
  if (record === undefined) return undefined;
  const lease = liveLease(record, now);
  if (lease !== undefined) return { why: 'leased', until: lease.until };
  return isLocked(record, now) ? { why: 'backing_off', until: record.notBefore } : undefined;
}

/**
 * Finds what bars an operator from trying a login: an attempt under way, a back-off, or a token so young that a
 * caller's word would not renew it either. So a try adds no login that a hand-out could not have made.
 */
export function findTrialBar(
  record: SlotRecord | undefined,
  { renewalCooldownSeconds }: Pick<Connection, 'renewalCooldownSeconds'>,
  now: number,
): TrialBar | undefined {
  if (record === undefined) return undefined;
  const lease = liveLease(record, now);
  if (lease !== undefined) return { why: 'leased', until: lease.until };
  if (record.notBefore > now) return { why: 'backing_off', until: record.notBefore };
  const { token } = record;
  const until = (token?.issuedAt ?? 0) + renewalCooldownSeconds * 1000;
  return token !== undefined && !isRejected(record) && now < until ? { why: 'young', until } : undefined;
}
