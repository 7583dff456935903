import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Trust } from '../configuration/trust.ts';
import { ExchangeError } from './exchange-error.ts';
import { findBar } from './trust-rules.ts';
import { readIdentity, type Workload } from './workload.ts';

/** The outcome of one rule for one JWT; `bar` is what keeps the JWT out, absent where the rule lets it in. */
export interface RuleOutcome {
  readonly rule: string;
  readonly bar?: string;
  readonly connections: readonly string[];
  readonly subjects: readonly string[];
}

/** The judgement of a JWT by all rules. `refusal` is said of the JWT itself: no rule would let it in. */
export interface TrustCheck {
  readonly issuer?: string;
  readonly subject?: string;
  readonly refusal?: string;
  readonly rules: readonly RuleOutcome[];
}

/** Judges what a JWT says by trust rules, at epoch milliseconds `now`. Its signature is not looked at. */
export function checkTrustOf(jwt: string, trust: readonly Trust[], now: number): TrustCheck {
  const read = readUnverified(jwt, now);
  if (!('workload' in read)) return { refusal: read.refusal, rules: [] };
  const { workload, refusal } = read;
  const rules = trust.map((rule, index): RuleOutcome => {
    const { issuer, jwksUri, connections, subjects } = rule;
    const source = jwksUri === undefined ? { issuer } : { issuer, jwksUri };
    const wanted = { connection: connections[0] ?? '', subject: subjects[0] ?? '' };
    const bar = findBar(rule, { workload, source, wanted, now });
    return { rule: `trust[${index}]`, ...(bar !== undefined && { bar }), connections, subjects };
  });
  const { issuer, subject } = workload;
  return { issuer, subject, ...(refusal !== undefined && { refusal }), rules };
}

function readUnverified(
  jwt: string,
  now: number,
): { readonly workload: Workload; readonly refusal?: string } | { readonly refusal: string } {
  try {
    const payload = decodeJwt(jwt);
    const workload = readIdentity(decodeProtectedHeader(jwt), payload, payload.iss ?? '', now);
    const refusal = findEnd(payload, now);
    return refusal === undefined ? { workload } : { workload, refusal };
  } catch (error) {
    return { refusal: error instanceof ExchangeError ? (error.reason ?? error.detail) : 'It is no JWT.' };
  }
}

function findEnd({ exp, nbf }: { readonly exp?: number; readonly nbf?: number }, now: number): string | undefined {
  const seconds = Math.floor(now / 1000);
  if (exp === undefined) return 'It has no expiry (exp).';
  if (exp <= seconds) return `It expired ${seconds - exp} s ago.`;
  return nbf !== undefined && nbf > seconds ? `It is not valid for another ${nbf - seconds} s.` : undefined;
}
