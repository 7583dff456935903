import * as z from 'zod';
import type { Connection } from '../core/slot/connection.ts';
import { isServed, isUserSubject, SUBJECT_PATTERN, SYSTEM } from '../core/slot/slot.ts';
import { type Problem, quoteIfOdd } from './errors.ts';
import { flag, seconds, text } from './fields.ts';
import { findLookAlikes, findOpenDoors } from './open-doors.ts';
import { findOriginFault, hasControlCharacter, isPlainHttp, PLAIN_HTTP } from './origins.ts';
import { isRecord, rule, strictObject, toProblems } from './shape.ts';

const LONGEST_TEXT = 512;

/** Claims that the exchange checks in every JWT. */
const checkedClaims = new Set(['iss', 'aud', 'sub', 'exp', 'nbf', 'iat']);

const boundedText = (what: string) =>
  text(what, (value) =>
    value !== '' && value.length <= LONGEST_TEXT && !hasControlCharacter(value)
      ? undefined
      : `must be ${what}, neither empty nor longer than ${LONGEST_TEXT} characters`,
  );

const httpsUrl = (what: string) =>
  text(what, (url) => findOriginFault(url) ?? (isPlainHttp(url) ? `${PLAIN_HTTP}: use https` : undefined));

/** The keys of one entry of `trust`. */
export const trustEntry = strictObject(
  {
    /** URL of the issuer, equal to the JWT's `iss`: https, or http on loopback. */
    issuer: httpsUrl('the issuer of the JWTs, an https URL'),
    /** Audience that must be among the JWT's `aud`. */
    audience: boundedText('the audience that the JWTs are made for'),
    /** The `sub` of the JWT, exact or a glob: `*` stops at `:` and `/`, `**` does not. */
    subject: boundedText('the `sub` of the JWTs, exact or a glob'),
    /** Oldest JWT that is taken, in seconds since its `iat`. Default 3600. */
    maxAgeSeconds: seconds(1).default(3600),
    /** Further claims of the JWT, each with its value: a text may be a glob, and of a list one member has to fit. */
    claims: z
      .record(
        z.string(),
        z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number, true or false'),
        'must be an object of claims',
      )
      .default({}),
    /** Take each JWT only once, by its `jti`, which it must have. Default false. */
    once: flag.default(false),
    /** URL of the issuer's keys. Default: from its discovery document (OpenID Connect Discovery §4). */
    jwksUri: httpsUrl('the https URL of the issuer’s keys').optional(),
    /** Names of the connections whose tokens the workload may have. */
    connections: z
      .array(z.string('must be the name of a connection'), 'must be a list of connection names')
      .min(1, 'must list at least one connection'),
    /** Subjects that it may ask for, each as in a path: `system`, or a user as the provider writes it. */
    subjects: z
      .array(
        text('a subject, as text', (subject) =>
          SUBJECT_PATTERN.test(subject) ? undefined : 'must be `system` or a subject as the provider writes it',
        ),
        'must be a list of subjects',
      )
      .min(1, 'must list at least one subject')
      .default([SYSTEM]),
  },
  'a trust entry',
);

/** Rule that lets workloads exchange their JWT. */
export type Trust = z.output<typeof trustEntry>;

/**
 * Checks the entries of `trust` against the connections: `declared` are all names, `connections` those without a fault.
 * Issuers are https, or http on loopback; one that strangers share needs its owner by id; no subject that nothing serves.
 */
export function checkTrust(
  entries: readonly unknown[],
  declared: readonly string[],
  connections: Readonly<Record<string, Connection>>,
): { readonly trust: readonly Trust[]; readonly problems: readonly Problem[]; readonly warnings: readonly string[] } {
  const schema = trustEntry.check(
    rule(['issuer', 'subject', 'claims'], (declared, report) => {
      for (const { message, path } of findOpenDoors(declared)) report(message, ...path);
    }),
    rule([], ({ claims }, report) => {
      for (const claim of isRecord(claims) ? Object.keys(claims) : []) {
        if (checkedClaims.has(claim)) {
          report('is always checked and cannot be declared here: take it out', 'claims', claim);
        }
      }
    }),
    rule(['connections'], ({ connections: names }, report) => {
      names.forEach((name, index) => {
        if (declared.includes(name)) return;
        const known = declared.map(quoteIfOdd).join(', ');
        report(`is not a declared connection. Declared: ${known}`, 'connections', index);
      });
    }),
    rule(['connections', 'subjects'], ({ connections: names, subjects }, report) => {
      const reached = names.flatMap((name) => connections[name] ?? []);
      // A name whose own declaration is at fault says nothing yet about the subjects that it will serve.
      if (reached.length < names.length) return;
      subjects.forEach((subject, index) => {
        if (reached.some((connection) => serves(connection, subject))) return;
        report(
          'is served by none of the listed connections: take it out, or widen `subjects` of a connection',
          'subjects',
          index,
        );
      });
    }),
  );
  const results = entries.map((entry) => schema.safeParse(entry));
  return {
    trust: results.flatMap(({ data }) => data ?? []),
    problems: results.flatMap(({ error }, index) => toProblems(error, ['trust', index]).map(nameReplacement)),
    warnings: results.flatMap(({ data }, index) =>
      data === undefined ? [] : findLookAlikes(data).map((message) => `trust[${index}].subject ${message}`),
    ),
  };
}

/** Says what to write in place of the regular expressions of before. */
function nameReplacement({ path, message }: Problem): Problem {
  const isPattern = path.endsWith('.subjectPattern');
  return {
    path,
    message: isPattern ? 'is gone: write a glob into `subject`, whose `*` stops at `:` and `/`' : message,
  };
}

function serves({ provider, subjects }: Connection, subject: string): boolean {
  return isServed(subject, subjects) && (subject === SYSTEM || isUserSubject(provider.userSubject, subject));
}
