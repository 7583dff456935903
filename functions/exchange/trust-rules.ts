import { matchesGlob } from '../configuration/glob.ts';
import type { Trust } from '../configuration/trust.ts';
import type { KeySource } from './issuer-keys.ts';
import type { Workload } from './workload.ts';

/** The places of the keys that the rules for an issuer name, each once; none for an issuer that no rule trusts. */
export function keySourcesOf(trust: readonly Trust[], issuer: string): readonly KeySource[] {
  const uris = new Set(trust.filter((rule) => rule.issuer === issuer).map(({ jwksUri }) => jwksUri));
  return [...uris].map((jwksUri) => (jwksUri === undefined ? { issuer } : { issuer, jwksUri }));
}

/** A request for a token, by a workload that was verified with the keys of `source`. */
export interface Knock {
  readonly workload: Workload;
  readonly source: KeySource;
  readonly wanted: { readonly connection: string; readonly subject: string };
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Finds the rule that lets a workload have what it asks for. Every condition of one rule must hold; rules are not put
 * together.
 */
export function findTrust(trust: readonly Trust[], knock: Knock): Trust | undefined {
  return trust.find((rule) => findBar(rule, knock) === undefined);
}

/** Finds the first condition of a rule that keeps a workload out, in words; undefined where the rule lets it in. */
export function findBar(rule: Trust, { workload, source, wanted, now }: Knock): string | undefined {
  const { issuer, subject, audiences, claims } = workload;
  if (rule.issuer !== issuer) return `iss is not ${quote(rule.issuer)}`;
  if (rule.jwksUri !== source.jwksUri) return 'the keys are from another place';
  if (!audiences.includes(rule.audience)) return `aud does not hold ${quote(rule.audience)}`;
  if (!matchesGlob(rule.subject, subject)) return `sub does not fit ${quote(rule.subject)}`;
  for (const [name, value] of Object.entries(rule.claims)) {
    if (!Object.hasOwn(claims, name)) return `the claim ${quote(name)} is missing`;
    if (!hasValue(claims[name], value)) return `the claim ${quote(name)} does not fit ${quote(value)}`;
  }
  const ageSeconds = ageOf(workload, now);
  if (ageSeconds > rule.maxAgeSeconds)
    return `it is ${ageSeconds} s old, or lasts as long without an iat, and maxAgeSeconds is ${rule.maxAgeSeconds}`;
  if (rule.once && typeof claims['jti'] !== 'string') return 'the claim "jti" is missing, which `once` needs';
  if (!rule.connections.includes(wanted.connection)) return `the rule does not open ${quote(wanted.connection)}`;
  if (!rule.subjects.includes(wanted.subject)) return `the rule does not open the subject ${quote(wanted.subject)}`;
  return undefined;
}

/** Reports whether a claim has the value that a rule asks for; of a list one member must have it. */
function hasValue(actual: unknown, expected: string | number | boolean): boolean {
  if (Array.isArray(actual)) return actual.some((member) => !Array.isArray(member) && hasValue(member, expected));
  if (typeof expected === 'string') return typeof actual === 'string' && matchesGlob(expected, actual);
  return actual === expected;
}

/** The seconds since a JWT was issued; without `iat` those that it has left, so that none is taken for longer. */
function ageOf({ claims: { iat, exp } }: Workload, now: number): number {
  const seconds = Math.floor(now / 1000);
  if (typeof iat === 'number') return Math.floor(seconds - iat);
  return typeof exp === 'number' ? Math.floor(exp - seconds) : Number.POSITIVE_INFINITY;
}

function quote(value: unknown): string {
  return JSON.stringify(value);
}
