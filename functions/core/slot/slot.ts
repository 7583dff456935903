import { createHash } from 'node:crypto';
import { BrokerError } from '../words/errors.ts';
import type { Connection, ServedSubjects } from './connection.ts';
import type { Provider, UserSubject } from './provider.ts';

/** The connection's own identity, as a subject. */
export const SYSTEM = 'system';

/** Form of every subject, whatever the provider; none is `.` or `..`. */
export const SUBJECT_PATTERN = /^(?!\.{1,2}$)[A-Za-z0-9._~@-]{1,128}$/;

/**
 * One (connection, subject) under one fingerprint, with exactly one current token. `fingerprint` covers the
 * configuration that changes the token, so that a changed base URL or secret starts a new slot.
 */
export interface Slot {
  readonly connection: string;
  readonly subject: string;
  readonly fingerprint: string;
}

/** Returns the slot of `subject` on `connection`, unchecked. */
export function slotOf(connection: Connection, subject: string): Slot {
  return { connection: connection.name, subject, fingerprint: connection.fingerprint };
}

/** Names a slot in maps; unique because no part may contain `#`. */
export function slotId(slot: Slot): string {
  return `${slot.connection}#${slotName(slot)}`;
}

/** Names a slot within its connection: subject, `#`, fingerprint. */
export function slotName({ subject, fingerprint }: Slot): string {
  return `${subject}#${fingerprint}`;
}

/** Returns a number in [0, 1) that is the same for the same slot everywhere; spreads refreshes over time. */
export function slotFraction(slot: Slot): number {
  return createHash('sha256').update(slotId(slot)).digest().readUInt32BE(0) / 2 ** 32;
}

/** Reports whether `subject` is written as the provider writes its users. */
export function isUserSubject(userSubject: UserSubject | undefined, subject: string): boolean {
  if (userSubject === undefined || subject === SYSTEM || !SUBJECT_PATTERN.test(subject)) return false;
  const { pattern, maximum } = userSubject;
  return compile(pattern).test(subject) && (maximum === undefined || Number(subject) <= maximum);
}

const compiled = new Map<string, RegExp>();

/** Compiles a pattern once. The cache stays small, since patterns come with the connections. */
function compile(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = new RegExp(`^(?:${pattern})$`, 'u');
  compiled.set(pattern, made);
  return made;
}

/** Returns the key of users under a connection's `subjects`. */
export function userKeyOf({ userSubject }: Pick<Provider, 'userSubject'>): string {
  return userSubject?.key ?? 'users';
}

/** Reports whether a connection that serves these subjects hands out tokens of `subject`. */
export function isServed(subject: string, { system, users }: ServedSubjects): boolean {
  if (subject === SYSTEM) return system;
  return typeof users === 'boolean' ? users : users.includes(subject);
}

/**
 * Checks the subject that a caller asks for, and returns its slot. Throws `invalid_subject` if it is malformed,
 * `subject_not_supported` if the connection does not serve its kind, `forbidden` if the user is not on its list.
 */
export function requireSlot(connection: Connection, subject: string): Slot {
  const { name, provider, subjects } = connection;
  const { userSubject } = provider;
  const key = userKeyOf(provider);
  const isUser = userSubject === undefined ? SUBJECT_PATTERN.test(subject) : isUserSubject(userSubject, subject);
  if (subject !== SYSTEM && !isUser) {
    throw new BrokerError('invalid_subject', `The subject is neither \`system\` nor ${describeUser(userSubject)}.`);
  }
  const servesUsers = userSubject !== undefined && subjects.users !== false;
  if (subject === SYSTEM ? !subjects.system : !servesUsers) {
    const served = [...(subjects.system ? ['`system`'] : []), ...(servesUsers ? [key] : [])].join(' and ');
    throw new BrokerError('subject_not_supported', `The connection ${name} serves ${served} only.`);
  }
  if (!isServed(subject, subjects)) {
    throw new BrokerError(
      'forbidden',
      `The connection ${name} does not serve this subject. Its \`subjects.${key}\` lists those it serves.`,
    );
  }
  return slotOf(connection, subject);
}

/** Describes the form of a user, with its article. */
export function describeUser(userSubject: UserSubject | undefined): string {
  if (userSubject === undefined) return 'one of any upstream';
  const { words = 'user, as the provider writes it' } = userSubject;
  return `${/^[aeio]/i.test(words) ? 'an' : 'a'} ${words}`;
}
