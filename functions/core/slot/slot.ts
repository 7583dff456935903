import { createHash } from 'node:crypto';
import { BrokerError } from '../words/errors.ts';
import type { Connection, ServedSubjects } from './connection.ts';

/** The connection's own identity, as a subject. */
export const SYSTEM = 'system';

const STAFF_PATTERN = /^[1-9][0-9]{0,9}$/;
/** The highest PKID of a staff member: a positive 32-bit integer (H9). */
export const STAFF_MAXIMUM = 2_147_483_647;
/** How a subject is written; `STAFF_MAXIMUM` bounds it too. */
export const SUBJECT_PATTERN = new RegExp(`^${SYSTEM}$|${STAFF_PATTERN.source}`);

/**
 * One (connection, subject) under one fingerprint: what has exactly one current token.
 * `fingerprint` covers all that changes the token, so that a changed base URL or secret starts a new slot.
 */
export interface Slot {
  readonly connection: string;
  readonly subject: string;
  readonly fingerprint: string;
}

/** Gives the slot of `subject` on `connection`. */
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

/** A number in [0, 1) that is the same for the same slot everywhere; spreads refreshes over time. */
export function slotFraction(slot: Slot): number {
  return createHash('sha256').update(slotId(slot)).digest().readUInt32BE(0) / 2 ** 32;
}

/** Reports whether `subject` is the PKID of a HelpMaster staff member: a positive 32-bit integer in canonical form (H9). */
export function isStaffSubject(subject: string): boolean {
  return STAFF_PATTERN.test(subject) && Number(subject) <= STAFF_MAXIMUM;
}

/** Reports whether a connection that serves these subjects hands out tokens of `subject`. */
export function isServed(subject: string, { system, staff }: ServedSubjects): boolean {
  if (subject === SYSTEM) return system;
  return typeof staff === 'boolean' ? staff : staff.includes(subject);
}

/**
 * Returns the slot that a caller asks for, or throws `invalid_subject` for what is no subject at all,
 * `subject_not_supported` for a kind that the connection does not serve, `forbidden` for a staff member outside its list.
 */
export function slotFor(connection: Connection, subject: string): Slot {
  if (subject !== SYSTEM && !isStaffSubject(subject)) {
    throw new BrokerError(
      'invalid_subject',
      'The subject is neither `system` nor a staff PKID: a positive integer without leading zeros, at most 2147483647.',
    );
  }
  const { system, staff } = connection.subjects;
  if (subject === SYSTEM ? !system : staff === false) {
    const served = [...(system ? ['`system`'] : []), ...(staff === false ? [] : ['staff PKIDs'])].join(' and ');
    throw new BrokerError('subject_not_supported', `The connection ${connection.name} serves ${served} only.`);
  }
  if (subject !== SYSTEM && typeof staff !== 'boolean' && !staff.includes(subject)) {
    throw new BrokerError(
      'forbidden',
      `The connection ${connection.name} does not serve this staff member. Its \`subjects.staff\` lists those it serves.`,
    );
  }
  return slotOf(connection, subject);
}
