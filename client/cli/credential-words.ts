import type { ConnectionStatus } from '../broker-api.ts';
import { durationOf } from './table.ts';

const CURRENT_BY_STANDING: Readonly<Record<string, string>> = {
  proven: 'The current one stays in use.',
  refused: 'The current one is refused too: nobody can log in until one is put that the upstream takes.',
  unproven: 'The current one has brought no token yet.',
};

/** Tells of the last candidate that did not become current, and what the current version is worth. */
export function credentialWords({ name, credential }: ConnectionStatus, now: number): readonly string[] {
  const failed = credential?.failed_candidate;
  if (credential === undefined || failed === undefined) return [];
  const ago = durationOf(Math.max(1000, now - Date.parse(failed.at)));
  const why = failed.evidence === undefined ? failed.code : `${failed.code}, by ${failed.evidence}`;
  const current = CURRENT_BY_STANDING[credential.standing] ?? '';
  return [`${name}: a new credential was tried ${ago} ago and did not become current (${why}).`, `  ${current}`];
}
