import type { HeldToken, IssuedToken, KeepValues, UpstreamAttempt, UpstreamFailure } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import type { Source, Step, SubjectKind } from '../../core/slot/provider.ts';
import { SYSTEM } from '../../core/slot/slot.ts';
import type { Values } from '../../core/slot/text.ts';
import type { KeptValues } from '../../core/slot/token.ts';
import type { Clock } from '../../core/words/platform.ts';
import { Secret } from '../../core/words/secret.ts';
import type { HttpFailure } from '../../http/port.ts';
import { keptNames, secretNames, stepsOf } from '../names.ts';
import { type ParsedAnswer, type Reading, valueAt } from './answer.ts';
import { readCredential } from './credential.ts';
import { createSecretFailure } from './failures.ts';
import type { Success, Verdict } from './judge.ts';
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
  /** Keeps the next values of fields that rotate. */
  readonly keep?: KeepValues | undefined;
  /** Set while an operator tries a login. */
  recorder?: Recorder;
}

/** An answer of success, with what it had in the place of the token. */
export interface Answered {
  readonly step: Step;
  readonly answer: ParsedAnswer;
  readonly token: Reading;
}

/** Notes of a login that is tried, step by step. */
export interface Recorder {
  sending(step: Step): void;
  answered(answer: ParsedAnswer): void;
  notAnswered(failed: HttpFailure): void;
  /** Notes the verdict; without one the status alone has judged. */
  judged(verdict: Verdict | Success | undefined, failed: UpstreamFailure | undefined): void;
  /** Notes that nothing said no, and that there was no usable token; `verdict` if the answer says why after all. */
  withoutToken(verdict: Verdict | undefined, evidence: string): void;
  read(name: string, source: Source, reading: Reading): void;
}

/** Tells the connection's own identity from the upstream's users. */
export function kindOf(subject: string): SubjectKind {
  return subject === SYSTEM ? 'system' : 'user';
}

/** Begins a login, a renewal or a logout with the values that are there. */
export function beginAttempt(
  { connection, subject, timeoutMs }: UpstreamAttempt,
  given: Values,
  clock: Pick<Clock, 'now' | 'monotonic'>,
): Attempt {
  const kind = kindOf(subject);
  const own = { ...connection.settings, baseUrl: connection.baseUrl, ...(kind === 'user' && { subject }) };
  const endsAt = clock.monotonic() + timeoutMs;
  const values = { ...own, ...given };
  return { connection, subject, kind, values, answered: new Set(), endsAt, timeoutMs, startedAt: clock.now() };
}

/** Begins with a token that is there: what was kept beside it, and the credential where it was read. */
export function resumeAttempt(
  { connection, subject, timeoutMs, token, values, closed, secret }: UpstreamAttempt & HeldToken,
  clock: Pick<Clock, 'now' | 'monotonic'>,
): Attempt | UpstreamFailure {
  const credential = secret && readCredential(connection.provider, secret);
  if (credential?.kind === 'problem') return createSecretFailure(connection, credential.problem);
  const kept = { ...closed?.reveal(), ...values, token: token.reveal() };
  // A part of the credential that was kept may be older than the secret; one that rotates is the newer.
  const { secretFields } = connection.provider;
  const current = Object.entries(credential?.fields ?? {}).filter(([name]) => !secretFields[name]?.rotates);
  const given = { ...credential?.fields, ...kept, ...Object.fromEntries(current) };
  const attempt = beginAttempt({ connection, subject, timeoutMs }, given, clock);
  for (const name of Object.keys(kept)) attempt.answered.add(name);
  return attempt;
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

/** Finds a scope that is narrower than the one asked for. Loads that for an answer with a scope alone. */
export async function findScopeWarning(
  { connection, values }: Attempt,
  answered: Answered | undefined,
): Promise<string | undefined> {
  const granted = valueAt(answered?.answer.content, ['scope']);
  if (answered === undefined || granted === undefined) return undefined;
  const { findMissingScope } = await import('./granted-scope.ts');
  return findMissingScope(answered.step, values, connection.settings, granted);
}
