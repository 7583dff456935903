import * as z from 'zod';
import type { Connection } from '../core/slot/connection.ts';
import { isServed, isStaffSubject, SYSTEM } from '../core/slot/slot.ts';
import type { Trust } from './configuration.ts';
import { type Problem, quotedIfOdd } from './configuration-error.ts';
import { hasControlCharacter, originProblem } from './origins.ts';
import { checkShape, isRecord, strictObject } from './shape.ts';

const LONGEST_TEXT = 512;

/** Claims that the exchange checks by itself, in every JWT. */
const checkedClaims = new Set(['iss', 'aud', 'sub', 'exp', 'nbf', 'iat']);

/** A subject that no issuer gives out: a pattern that takes it takes every workload of the issuer. */
const IMPROBABLE_SUBJECT = 'q7-no-such-workload';

const text = (what: string) =>
  z
    .string(`must be ${what}`)
    .refine(
      (value) => value !== '' && value.length <= LONGEST_TEXT && !hasControlCharacter(value),
      `must be ${what}, neither empty nor longer than ${LONGEST_TEXT} characters`,
    );

const httpsUrl = (what: string) =>
  z.string(`must be ${what}`).superRefine((value, context) => {
    const message = originProblem(value, { allowPlainHttp: false, remedy: 'use https' });
    if (message !== undefined) {
      context.addIssue({ code: 'custom', message });
    }
  });

const subjectPattern = text('a regular expression')
  .refine(
    isPattern,
    'must be a regular expression that compiles (JavaScript, flag `u`); it always has to match the whole subject',
  )
  .transform((pattern) => `^(?:${pattern})$`);

const claims = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number, true or false'),
  'must be an object of claims',
);

const trustEntry = strictObject(
  {
    issuer: httpsUrl('the issuer of the JWTs, an https URL'),
    audience: text('the audience that the JWTs are made for'),
    subject: text('the exact `sub` of the JWTs').optional(),
    subjectPattern: subjectPattern.optional(),
    claims: claims.default({}),
    jwksUri: httpsUrl('the https URL of the issuer’s keys').optional(),
    connections: z
      .array(z.string('must be the name of a connection'), 'must be a list of connection names')
      .min(1, 'must list at least one connection'),
    subjects: z
      .array(
        z
          .string('must be a subject, as text')
          .refine(
            (subject) => subject === SYSTEM || isStaffSubject(subject),
            'must be `system` or a staff PKID such as "88"',
          ),
        'must be a list of subjects',
      )
      .min(1, 'must list at least one subject')
      .default([SYSTEM]),
  },
  'a trust entry',
);

type TrustEntry = z.infer<typeof trustEntry>;

export interface CheckedTrust {
  readonly trust: readonly Trust[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/**
 * Checks the entries of `trust` against the connections: `declared` are all names, `connections` those without a fault.
 * Issuers are https, or http on loopback; exactly one of `subject` and `subjectPattern`; no subject that nothing serves.
 */
export function checkTrust(
  entries: readonly unknown[],
  declared: ReadonlySet<string>,
  connections: ReadonlyMap<string, Connection>,
): CheckedTrust {
  const results = entries.map((entry, index) => {
    const { value, valid, problems } = checkShape(trustEntry, entry, ['trust', index]);
    const at = (key: string) => `trust[${index}].${key}`;
    const crossProblems = [
      ...subjectChoiceProblems(entry, at('subject')),
      ...claimProblems(entry, at('claims')),
      ...connectionProblems(valid, at, declared, connections),
    ];
    return { value, problems: [...problems, ...crossProblems], warnings: warningsOf(valid, at) };
  });
  return {
    trust: results.flatMap(({ value }) => (value === undefined ? [] : [asTrust(value)])),
    problems: results.flatMap(({ problems }) => problems),
    warnings: results.flatMap(({ warnings }) => warnings),
  };
}

function subjectChoiceProblems(entry: unknown, path: string): Problem[] {
  if (!isRecord(entry)) {
    return [];
  }
  const choices = ['subject', 'subjectPattern'].filter((key) => entry[key] !== undefined);
  const message = 'give exactly one of `subject`, an exact `sub`, and `subjectPattern`, a regular expression for it';
  return choices.length === 1 ? [] : [{ path, message }];
}

function claimProblems(entry: unknown, path: string): Problem[] {
  const declared = isRecord(entry) && isRecord(entry['claims']) ? Object.keys(entry['claims']) : [];
  return declared
    .filter((claim) => checkedClaims.has(claim))
    .map((claim) => ({
      path: `${path}.${claim}`,
      message: 'is always checked and cannot be declared here: take it out',
    }));
}

function connectionProblems(
  entry: Partial<TrustEntry>,
  at: (key: string) => string,
  declared: ReadonlySet<string>,
  connections: ReadonlyMap<string, Connection>,
): Problem[] {
  const names = entry.connections ?? [];
  const unknown = names.flatMap((name, index) =>
    declared.has(name)
      ? []
      : [
          {
            path: `${at('connections')}[${index}]`,
            message: `is not a declared connection. Declared: ${[...declared].map(quotedIfOdd).join(', ')}`,
          },
        ],
  );
  const reached = names.flatMap((name) => connections.get(name) ?? []);
  // A name whose own declaration is at fault says nothing yet about the subjects that it will serve.
  if (reached.length === 0 || reached.length < names.length || entry.subjects === undefined) {
    return unknown;
  }
  const unserved = entry.subjects.flatMap((subject, index) =>
    reached.some(({ subjects }) => isServed(subject, subjects))
      ? []
      : [
          {
            path: `${at('subjects')}[${index}]`,
            message: 'is served by none of the listed connections: take it out, or widen `subjects` of a connection',
          },
        ],
  );
  return [...unknown, ...unserved];
}

function warningsOf(entry: Partial<TrustEntry>, at: (key: string) => string): string[] {
  const takesAll = entry.subjectPattern !== undefined && new RegExp(entry.subjectPattern, 'u').test(IMPROBABLE_SUBJECT);
  return takesAll
    ? [`${at('subjectPattern')} takes any subject: every workload of that issuer with that audience gets these tokens.`]
    : [];
}

/** Compiled by itself, so that an unbalanced bracket cannot climb out of the anchors put around it. */
function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') !== undefined;
  } catch {
    return false;
  }
}

function asTrust({ subject, subjectPattern: pattern, jwksUri, ...rest }: TrustEntry): Trust {
  return {
    ...rest,
    ...(subject === undefined ? {} : { subject }),
    ...(pattern === undefined ? {} : { subjectPattern: pattern }),
    ...(jwksUri === undefined ? {} : { jwksUri }),
  };
}
