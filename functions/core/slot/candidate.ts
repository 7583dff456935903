import type { Connection } from './connection.ts';

/** Reports whether a login sends nothing: its token is made here, and no probe proves it. So it proves no version. */
export function sendsNothing({ provider }: Pick<Connection, 'provider'>, isSystem: boolean): boolean {
  const steps = provider.logins[isSystem ? 'system' : 'user'];
  return steps?.length === 0 && provider.probe === undefined;
}

/**
 * Finds why a version of the secret cannot be tried before it is current. `rotates`: a login spends it, and its next
 * value is kept for the current version alone. `sends_nothing`: no answer could show that it is wrong.
 */
export function findCandidateBar(connection: Connection, isSystem: boolean): 'rotates' | 'sends_nothing' | undefined {
  if (connection.keptSecret !== undefined) return 'rotates';
  return sendsNothing(connection, isSystem) ? 'sends_nothing' : undefined;
}

/** Reports whether a connection's secret can have a candidate, for one kind of its subjects at least. */
export function takesCandidates(connection: Connection): boolean {
  const { system, users } = connection.subjects;
  const isUnbarred = (isSystem: boolean) => findCandidateBar(connection, isSystem) === undefined;
  return (system && isUnbarred(true)) || (users !== false && isUnbarred(false));
}
