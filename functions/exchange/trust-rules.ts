import type { Trust } from '../configuration/trust.ts';
import type { KeySource } from './issuer-keys.ts';
import type { Workload } from './workload.ts';

/** The places of the keys that the rules for an issuer name, each once; none for an issuer that no rule trusts. */
export function keySourcesOf(trust: readonly Trust[], issuer: string): readonly KeySource[] {
  const uris = new Set(trust.filter((rule) => rule.issuer === issuer).map(({ jwksUri }) => jwksUri));
  return [...uris].map((jwksUri) => (jwksUri === undefined ? { issuer } : { issuer, jwksUri }));
}

/**
 * Reports whether a rule lets a workload, verified with the keys of `source`, have tokens of this connection and subject.
 * Every condition of one rule must hold; rules are not put together.
 */
export function isTrusted(
  trust: readonly Trust[],
  { workload, source }: { readonly workload: Workload; readonly source: KeySource },
  wanted: { readonly connection: string; readonly subject: string },
): boolean {
  return trust.some(
    (rule) =>
      rule.issuer === workload.issuer &&
      rule.jwksUri === source.jwksUri &&
      rule.connections.includes(wanted.connection) &&
      rule.subjects.includes(wanted.subject) &&
      workload.audiences.includes(rule.audience) &&
      isSubjectOf(rule, workload.subject) &&
      hasClaims(rule, workload.claims),
  );
}

/** A rule without either would be no rule of a checked configuration: it trusts nobody. */
function isSubjectOf({ subject, subjectPattern }: Trust, actual: string): boolean {
  if (subject !== undefined) return actual === subject;
  return subjectPattern !== undefined && new RegExp(subjectPattern, 'u').test(actual);
}

function hasClaims(rule: Trust, actual: Workload['claims']): boolean {
  return Object.entries(rule.claims).every(([name, value]) => Object.hasOwn(actual, name) && actual[name] === value);
}
