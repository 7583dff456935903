import { systemClock } from '../clock.ts';
import { TokenBrokerError } from '../error.ts';
import type { Tried } from '../trial.ts';
import type { Call } from './command.ts';
import { credentialWords } from './credential-words.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { createSecretStore, type SecretStore } from './secrets.ts';

/** A new value of a connection's secret. */
export interface Candidate {
  readonly connection: string;
  /** The subject to log in with it. */
  readonly subject: string;
  readonly secretId: string;
  readonly value: string;
}

/** A candidate that lies in Secrets Manager. */
interface Put extends Candidate {
  readonly store: SecretStore;
  readonly versionId: string;
  /** It is the secret's first value, which AWS makes current at once. */
  readonly isFirst: boolean;
}

/** Problems that pass by themselves. Nothing was sent to the upstream. */
const PASSING: ReadonlySet<string> = new Set(['cooldown', 'refresh_in_progress']);
const SHORTEST_WAIT_MS = 1_000;

/**
 * Puts a candidate and has the broker try it, which makes it current if the upstream takes it. If the answer is lost,
 * looks in Secrets Manager which version is current. Tells the result; throws the error if there was no try.
 */
export async function checkCandidate(call: Call, candidate: Candidate): Promise<ExitCode> {
  const store = await createSecretStore(call.endpoint);
  const { versionId, isCurrent: isFirst } = await store.propose(candidate.secretId, candidate.value);
  const put: Put = { ...candidate, store, versionId, isFirst };
  const { connection, subject } = candidate;
  const until = systemClock.now() + call.timeoutMs;
  for (;;) {
    try {
      return await tellTried(call, put, await call.client.tryLogin(connection, { subject, candidate: true }));
    } catch (error) {
      if (!(error instanceof TokenBrokerError)) throw error;
      const waitMs = Math.max(error.retryAfterMs ?? 0, SHORTEST_WAIT_MS);
      if (!PASSING.has(error.code) || systemClock.now() + waitMs >= until) return tellUntried(call, put, error);
      await systemClock.sleep(waitMs);
    }
  }
}

async function tellTried(call: Call, put: Put, { candidate, result }: Tried): Promise<ExitCode> {
  const { connection, versionId, isFirst } = put;
  if (candidate !== undefined && candidate.version_id !== versionId) {
    const became = candidate.current ? 'is current now' : 'did not become current';
    call.say(`Another operator's value took the place of yours before it was tried. Theirs was tried and ${became}.`);
    call.say('Yours was not tried. Run the command again if it is still to be put.');
    return report(call, put, false, EXIT.refused);
  }
  const isCurrent = candidate === undefined ? isFirst : candidate.current;
  if (isCurrent && result.outcome !== 'failed') {
    call.say(`Set ${put.secretId}: the upstream of ${connection} takes it, and it is current.`);
    return report(call, put, true, EXIT.ok);
  }
  if (result.outcome === 'superseded') {
    call.say('The upstream takes it, but another version became current meanwhile, and stays. Run the command again.');
    return report(call, put, false, EXIT.refused);
  }
  if (result.outcome === 'failed') call.say(`${result.detail} (${result.code})`);
  if (isCurrent && !isFirst) return tellCurrent(call, put);
  // A label that was moved and whose reply was lost is current all the same.
  if (!isFirst && (await standsCurrent(put)) === true) return tellCurrent(call, put);
  await tellWhatStands(call, put);
  return report(call, put, false, EXIT.unavailable);
}

/** Tells of a value that is current although the answer to the try was no success. */
function tellCurrent(call: Call, put: Put): ExitCode {
  call.say(`Set ${put.secretId}: it is current, which it became only because the upstream takes it.`);
  return report(call, put, true, EXIT.ok);
}

async function tellUntried(call: Call, put: Put, error: TokenBrokerError): Promise<ExitCode> {
  if (!put.isFirst && (await standsCurrent(put)) === true) return tellCurrent(call, put);
  const isUnknown = error.kind !== 'problem' || error.code === 'upstream_outcome_unknown';
  if (isUnknown) call.say('Whether it was tried is not known. Run the command again: it costs one more login at most.');
  await tellWhatStands(call, put);
  throw error;
}

/** Reports whether the value is current; undefined if this identity may not look, or Secrets Manager does not answer. */
async function standsCurrent({ store, secretId, versionId }: Put): Promise<boolean | undefined> {
  return store.isCurrent(secretId, versionId).catch(() => undefined);
}

async function tellWhatStands(call: Call, { connection, secretId, isFirst }: Put): Promise<void> {
  call.say(
    isFirst
      ? `It is the first value of ${secretId}, so AWS made it current at once. Set another: nothing was there before.`
      : `${secretId} is as it was: the value before this one is current.`,
  );
  const status = await call.client.status(connection).catch(() => undefined);
  if (status !== undefined) for (const line of credentialWords(status, systemClock.now())) call.say(line);
}

function report(call: Call, { connection, secretId, versionId }: Put, set: boolean, code: ExitCode): ExitCode {
  if (call.isJson) call.print(JSON.stringify({ connection, secret_id: secretId, version_id: versionId, set }));
  return code;
}
