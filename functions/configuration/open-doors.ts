import { isGlob, matchesGlob } from './glob.ts';
import { findSharedIssuer, type SharedIssuer } from './shared-issuers.ts';

/** The parts of a trust rule that say whom it lets in. */
interface Door {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, string | number | boolean>>;
}

/** Subjects that no issuer gives out: a glob that takes one takes every workload of the issuer. */
const IMPROBABLE_SUBJECTS = ['q7-no-such-workload', 'q7:no/such:workload'];
const NUMERIC_ID = /^[0-9]{6,}$/;
const SEPARATOR = /[:/]/;

/** Finds how a rule for an issuer that strangers share lets one of them in. */
export function findOpenDoors({ issuer, subject, claims }: Door): readonly {
  readonly message: string;
  readonly path: readonly string[];
}[] {
  const shared = findSharedIssuer(issuer);
  if (shared === undefined) return [];
  const problems: { message: string; path: readonly string[] }[] = [];
  const strangers = `anybody may have workloads at ${shared.name}`;
  if (subject.includes('**')) {
    problems.push({ path: ['subject'], message: `must not hold \`**\`: ${strangers}. \`*\` stops at \`:\` and \`/\`` });
  } else if (isGlob(ownerIn(subject, shared))) {
    problems.push({ path: ['subject'], message: `must name the owner exactly: ${strangers}, also as an owner alike` });
  }
  for (const [name, value] of Object.entries(claims)) {
    if (typeof value !== 'string' || !value.includes('**')) continue;
    problems.push({ path: ['claims', name], message: `must not hold \`**\`: ${strangers}` });
  }
  if (isOwnerById({ issuer, subject, claims }, shared)) return problems;
  const named = shared.ownerClaims.map((name) => `\`${name}\``).join(', ');
  const orSubject = shared.subjectIsId === true ? ', or the numeric id as `subject`' : '';
  problems.push({
    path: ['claims'],
    message: `must have the owner by an exact id: ${strangers}, and a name can change hands. Add one of ${named}${orSubject}`,
  });
  return problems;
}

/**
 * Finds what else a glob takes, by asking it: every workload, or one whose name only begins or ends like those meant.
 * Each is worded to follow the key's path.
 */
export function findLookAlikes({ subject }: Pick<Door, 'subject'>): readonly string[] {
  if (IMPROBABLE_SUBJECTS.some((improbable) => matchesGlob(subject, improbable))) {
    return ['takes any subject: every workload of that issuer with that audience gets these tokens.'];
  }
  const alike = subject.replace(/\*+/g, (stars, at: number) => {
    const isNamePart = [subject[at - 1], subject[at + stars.length]].some((next) => !SEPARATOR.test(next ?? ':'));
    return isNamePart ? '-evil' : 'x';
  });
  const isTaken = alike.includes('-evil') && matchesGlob(subject, alike);
  return isTaken
    ? [`takes ${JSON.stringify(alike)} too: let \`*\` stand for a whole name between \`:\` and \`/\`.`]
    : [];
}

function ownerIn(subject: string, { ownerSegments = [] }: SharedIssuer): string {
  const segments = subject.split(SEPARATOR);
  return ownerSegments.map((at) => segments[at] ?? '').join('');
}

function isOwnerById({ subject, claims }: Door, { ownerClaims, subjectIsId }: SharedIssuer): boolean {
  if (subjectIsId === true && NUMERIC_ID.test(subject)) return true;
  return ownerClaims.some((name) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    return typeof value === 'number' || (typeof value === 'string' && value !== '' && !isGlob(value));
  });
}
