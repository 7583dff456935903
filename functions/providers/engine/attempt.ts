import type { IssuedToken } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import type { SubjectKind } from '../../core/slot/provider.ts';
import { SYSTEM } from '../../core/slot/slot.ts';
import type { KeptValues } from '../../core/slot/token.ts';
import { Secret } from '../../core/words/secret.ts';
import { keptNames, secretNames, stepsOf } from '../names.ts';
import { collectJoinedTexts } from './request.ts';

/** A login or a renewal under way. */
export interface Attempt {
  readonly connection: Connection;
  readonly subject: string;
  readonly kind: SubjectKind;
  /** Everything that a text may name, by now. */
  readonly values: Record<string, string | undefined>;
  /** The names among them that answers gave. */
  readonly answered: Set<string>;
  /** Monotonic milliseconds. */
  readonly endsAt: number;
  readonly timeoutMs: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** Tells the connection's own identity from the upstream's users. */
export function kindOf(subject: string): SubjectKind {
  return subject === SYSTEM ? 'system' : 'user';
}

/** Collects what must be kept beside the token, for API calls and for the next renewal. */
export function collectKept({ connection, values }: Attempt): Pick<IssuedToken, 'values' | 'closed'> {
  const { open, closed } = keptNames(connection.provider);
  const pick = (names: readonly string[]): KeptValues =>
    Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
  return {
    ...(open.length > 0 && { values: pick(open) }),
    ...(closed.length > 0 && { closed: new Secret(pick(closed)) }),
  };
}

/** The texts of an attempt that no message may repeat: the credential, and what earlier answers gave. */
export function collectTexts({ connection: { provider }, values, answered }: Attempt): readonly string[] {
  const names = new Set([...secretNames(provider), ...answered]);
  const joined = stepsOf(provider).flatMap(({ step }) => collectJoinedTexts(step, values));
  return [...[...names].flatMap((name) => values[name] ?? []), ...joined];
}
