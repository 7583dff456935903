import { type Heard, hear } from '../slot/breaker.ts';
import { sendsNothing } from '../slot/candidate.ts';
import type { Connection } from '../slot/connection.ts';
import type { DataKey, Keys } from '../slot/keys.ts';
import { leaseLengthMs } from '../slot/lease.ts';
import {
  type Admission,
  admitLogin,
  type Counted,
  changeLogins,
  endLogin,
  hasBegun,
  isOfSubject,
  isOpen,
  isProven,
  isStopped,
  type Login,
  type Logins,
  NO_LOGINS,
} from '../slot/logins.ts';
import { isRejected, type RecordedFailure, type SlotRecord } from '../slot/record.ts';
import { type Slot, SYSTEM } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { BrokerError } from '../words/errors.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import { type AttemptFailure, convertUpstreamFailure } from './outcome.ts';
import type { Secrets, SecretVersion } from './secrets.ts';
import type { UpstreamOutcome } from './upstream.ts';

/** Age up to which a copy of the secret serves every slot; an older one only slots that its version has served. */
const SECRET_TRUSTED_MS = 5_000;
/** Most rounds to write the item of the logins. A round fails only if somebody else has written in between. */
const ROUNDS = 10;

/** Slot that needs a login or a renewal. */
export interface Preparing {
  readonly connection: Connection;
  readonly slot: Slot;
  readonly record: SlotRecord;
  readonly leaseId: string;
  /** Time at which the lease was taken; epoch milliseconds. */
  readonly takenAt: number;
  readonly keepsClosed: boolean;
  /** The version that an operator tries in place of the current one. */
  readonly candidate?: SecretVersion | undefined;
}

/** Secret and keys, read before anything is sent. */
export interface Material {
  readonly secret: SecretVersion;
  readonly key: DataKey;
  readonly closedKey: DataKey | undefined;
}

/** Leave to log in, with what the item of the logins holds from then on. */
export interface LoginMaterial extends Material {
  readonly login: Login;
  readonly logins: Logins;
  /**
   * Mark that was written for this login. `probe`: it proves the version, or tries whether the upstream answers again,
   * alone. `limit`: it counts as a token.
   */
  readonly noted: 'probe' | 'limit' | undefined;
}

/** Answer to a slot that needs a login: leave, a failure, or word that another slot is proving the version. */
export type Prepared = LoginMaterial | AttemptFailure | 'waiting';

/**
 * Gate of a connection's logins. With a version that has brought no token yet, one login is made at a time, by
 * whichever slot or instance; the others wait for what it shows. No login is made with a version that is known to be
 * refused, nor one that could lock the account, and one at a time where logins time out. `slot/logins.ts` and
 * `slot/breaker.ts` have the rules.
 */
export interface LoginGate {
  /** Reads secret, data key and logins in parallel, and asks for leave. */
  prepare(attempt: Preparing): Promise<Prepared>;
  /** Reads what a renewal with the credential needs. Undefined: the version is not proven, and needs a login. */
  prepareRenewal(attempt: Preparing): Promise<Material | undefined>;
  /** Notes the end of a login, be it sent or not. Returns its failure as it counts for the slot. */
  ended(connection: Connection, material: LoginMaterial, outcome: UpstreamOutcome): Promise<AttemptFailure | undefined>;
}

export function createLoginGate({
  store,
  keys,
  secrets,
  telemetry,
  clock,
  random,
}: {
  readonly store: Store;
  readonly keys: Keys;
  readonly secrets: Secrets;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
}): LoginGate {
  async function readSecret(connection: Connection, record: SlotRecord): Promise<SecretVersion> {
    const { secret } = connection;
    // Bypass the cache if the last secret was refused or invalid, or the token reported dead: it may have been rotated.
    // Where the credential rotates, an older version may bring a spent value back.
    if (connection.keptSecret !== undefined) return secrets.current({ secret, maxAgeMs: 0 });
    const { refusedVersion, unprovenVersion, failure } = record;
    const wantsNewVersion =
      refusedVersion !== undefined || unprovenVersion !== undefined || failure?.code === 'secret_invalid';
    if (wantsNewVersion || isRejected(record)) return secrets.current({ secret, maxAgeMs: 0 });
    const knownVersion = record.token?.secretVersion;
    return secrets.current({ secret, maxAgeMs: SECRET_TRUSTED_MS, knownVersion });
  }

  async function readLogins(connection: string): Promise<Logins> {
    return (await store.logins(connection)) ?? NO_LOGINS;
  }

  /** Reads all that a request with the credential needs, and refuses a version that is known to be refused. */
  async function read({ connection, slot, record, keepsClosed, candidate }: Preparing): Promise<Read | AttemptFailure> {
    const [kept, key, closedKey, logins] = await Promise.all([
      candidate ?? readSecret(connection, record),
      keys.generate(connection.name),
      keepsClosed ? keys.generate(connection.name, 'closed') : undefined,
      readLogins(connection.name),
    ]);
    if (candidate !== undefined) return { secret: candidate, key, closedKey, logins };
    const { refusedVersion } = record;
    const isSystem = slot.subject === SYSTEM;
    const isStoppedWith = (secretVersion: string): boolean =>
      isStopped(logins, { secretVersion, isSystem, hasSystem: connection.subjects.system }, clock.now());
    const isOther = logins.secretVersion !== '' && logins.secretVersion !== kept.versionId;
    // An older copy must not take the place of a newer version that others log in with.
    const mayBeBehind = isOther || isStoppedWith(kept.versionId);
    // A version refused for this slot alone may have been proven since; a refused refresh token stays refused.
    const isToldOffBy = (version: string): boolean =>
      version === refusedVersion && (connection.keptSecret !== undefined || !isProven(logins, version));
    const isToldOff = isToldOffBy(kept.versionId);
    const secret = mayBeBehind && !isToldOff ? await secrets.current({ secret: connection.secret, maxAgeMs: 0 }) : kept;
    const { versionId } = secret;
    if (isToldOffBy(versionId) || isStoppedWith(versionId)) return createRefusedFailure(connection, record, versionId);
    return { secret, key, closedKey, logins };
  }

  async function askLeave(attempt: Preparing, { logins, ...material }: Read): Promise<Prepared> {
    const { connection, slot, record, leaseId, takenAt, candidate } = attempt;
    const secretVersion = material.secret.versionId;
    const isSystem = slot.subject === SYSTEM;
    const login: Login = {
      id: leaseId,
      subject: slot.subject,
      secretVersion,
      isSystem,
      hasSystem: connection.subjects.system,
      isEvidence: isSystem || record.token?.secretVersion === secretVersion,
      until: takenAt + leaseLengthMs(connection),
      limit: connection.provider.limits?.tokens,
      candidate: candidate && 'tried',
    };
    if (sendsNothing(connection, isSystem)) return { ...material, login, logins, noted: undefined };
    let seen = logins;
    for (let round = 0; round < ROUNDS; round += 1) {
      const now = clock.now();
      const admission = admitLogin(seen, login, now, random);
      if (admission.may === 'wait') return 'waiting';
      if (admission.may === 'not begin') return createRefusedFailure(connection, record, secretVersion);
      if (admission.may === 'begin later') return createHeldBackFailure(connection, admission, now, record);
      const { next } = admission;
      if (next === undefined) return { ...material, login, logins: seen, noted: undefined };
      const noted = next.probe?.id === leaseId ? 'probe' : 'limit';
      const found = await begin(connection.name, login, seen, next);
      if (hasBegun(found, leaseId)) return { ...material, login, logins: found, noted };
      // Somebody has begun with another version: the secret must be read again, since ours may be the older.
      const { secretVersion: others } = found;
      if (candidate === undefined && others !== seen.secretVersion && others !== secretVersion) return 'waiting';
      seen = found;
    }
    return 'waiting';
  }

  /** Writes that a login begins. Returns the item as it is then; somebody else may have written in between. */
  async function begin(name: string, { id }: Login, seen: Logins, next: Logins): Promise<Logins> {
    const written = await write(name, seen, next).catch(keepBrokerError);
    if (written === true) return { ...next, revision: seen.revision + 1 };
    // The reply may have been lost after the write.
    const found = await readLogins(name);
    if (written !== false && !hasBegun(found, id)) throw written;
    return found;
  }

  /** Writes the end of a login. Returns what was known of its version just before. */
  async function end(name: string, login: Login, { counted, heard, failed }: End, known?: Logins): Promise<Logins> {
    let seen = known ?? (await readLogins(name));
    for (let round = 0; round < ROUNDS; round += 1) {
      const now = clock.now();
      const ended = endLogin(hear(seen, login, heard, now), login, counted, now, random);
      const next = failed === undefined ? ended : { ...ended, failedCandidate: { ...failed, at: now } };
      if (next === seen) return seen;
      if (await write(name, seen, next)) {
        if (isOpen(next) && !isOpen(seen)) telemetry.warn(BREAKER_OPENS, { connection: name });
        return seen;
      }
      seen = await readLogins(name);
    }
    throw new BrokerError('store_unavailable', 'Writers of other logins were quicker each time.');
  }

  function write(name: string, seen: Logins, next: Logins): Promise<boolean> {
    return store.writeLogins(name, changeLogins(seen, next, clock.now()));
  }

  return {
    async prepare(attempt) {
      const found = await read(attempt);
      return 'code' in found ? found : askLeave(attempt, found);
    },

    async prepareRenewal(attempt) {
      const found = await read(attempt);
      if ('code' in found) return undefined;
      const { logins, ...material } = found;
      return isProven(logins, material.secret.versionId) ? material : undefined;
    },

    async ended(connection, { login, logins, noted }, outcome) {
      const { name } = connection;
      const counted = countOutcome(outcome);
      const heard = sendsNothing(connection, login.isSystem) ? 'nothing' : hearOutcome(outcome);
      const isCounted = noted === 'probe' || counted === 'refused' || (noted === 'limit' && counted === 'nothing');
      const isHeard = heard === 'time-out' || (heard === 'answer' && logins.timedOut !== undefined);
      const failed =
        login.candidate === 'tried' && outcome.kind === 'failure'
          ? { code: outcome.code, evidence: outcome.evidence }
          : undefined;
      let known = logins;
      try {
        if (isCounted || isHeard)
          known = await end(name, login, { counted, heard, failed }, noted === 'probe' ? logins : undefined);
      } catch (error) {
        // It must neither undo a login that worked nor hide the upstream's answer. A probe lapses by itself.
        await keepBrokerError(error);
        telemetry.warn('The end of a login could not be written down.', { connection: name });
      }
      if (outcome.kind === 'token') return undefined;
      const failure = convertUpstreamFailure(outcome);
      if (outcome.backOff !== 'refused') return failure;
      if (counted === 'refused' && isOfSubject(known, login)) return { ...failure, ...createSubjectFailure(name) };
      return { ...failure, refusedVersion: login.secretVersion };
    },
  };
}

type Read = Material & { readonly logins: Logins };
type End = {
  readonly counted: Counted;
  readonly heard: Heard;
  /** Failure of a candidate. */
  readonly failed: Pick<RecordedFailure, 'code' | 'evidence'> | undefined;
};

/** Evidence of failures where nothing was sent, and the slot has no evidence of its own. */
const NOT_SENT = {
  refused: 'not sent: the upstream has refused this version of the secret',
  failures: 'not sent: other logins of this connection failed lately',
  limit: 'not sent: as many tokens were issued as the upstream issues in that time',
  'time-outs': 'not sent: logins of other subjects timed out',
} as const;
const BREAKER_OPENS = 'Logins of two subjects timed out: one is sent at a time until the upstream answers.';

/** Finds what an outcome means for the account: whether the upstream may have counted it as a failed login. */
function countOutcome(outcome: UpstreamOutcome): Counted {
  if (outcome.kind === 'token') return 'token';
  const { code, backOff, isKnown } = outcome;
  if (isKnown === true) return 'nothing';
  // A refused refresh token locks no account, and no slot sends it again (`kept.ts`).
  if (code === 'reauthorization_required') return 'nothing';
  if (code === 'upstream_subject_rejected') return 'subject';
  if (backOff === 'refused' || backOff === 'locked') return backOff;
  const isOfAccount = backOff === 'unknown' || backOff === 'ambiguous_login';
  return isOfAccount && code !== 'upstream_session_limit' ? 'unknown' : 'nothing';
}

/** Finds what an outcome means for the breaker. A connection that is refused is an answer too: it does not hang. */
function hearOutcome(outcome: UpstreamOutcome): Heard {
  if (outcome.kind === 'token') return 'answer';
  const { code, isKnown } = outcome;
  if (code === 'upstream_timeout') return 'time-out';
  const isOfUpstream = code.startsWith('upstream_') || code === 'reauthorization_required';
  return isOfUpstream && isKnown !== true ? 'answer' : 'nothing';
}

async function keepBrokerError(error: unknown): Promise<BrokerError> {
  if (error instanceof BrokerError) return error;
  throw error;
}

/** Failure of a login that is not sent. Its evidence stays that of the slot's own refusal, if there was one. */
function createRefusedFailure(
  connection: Connection,
  { failure, refusedVersion }: SlotRecord,
  secretVersion: string,
): AttemptFailure {
  // Whatever failed since then: a refused credential that rotates is spent, unless its client was refused.
  const isSpent = connection.keptSecret !== undefined && failure?.code !== 'upstream_credential_rejected';
  const remedy = isSpent
    ? 'Consent again, and put the new refresh token into the secret'
    : 'Put the right value into the secret';
  const code = isSpent ? 'reauthorization_required' : 'upstream_credential_rejected';
  const own = refusedVersion === secretVersion && failure?.code === code ? failure.evidence : undefined;
  return {
    code,
    evidence: own ?? NOT_SENT.refused,
    detail: `The upstream of ${connection.name} refused the credential, and its secret has had no new version since. ${remedy}.`,
    backOff: 'refused',
    countsAsTry: false,
    refusedVersion,
  };
}

function createHeldBackFailure(
  { name }: Connection,
  { at, why }: Extract<Admission, { may: 'begin later' }>,
  now: number,
  { failure }: SlotRecord,
): AttemptFailure {
  const evidence = (why === 'failures' ? failure?.evidence : undefined) ?? NOT_SENT[why];
  const held = { backOff: 'not_judged', countsAsTry: false, waitMs: at - now, evidence } as const;
  if (why === 'limit') {
    const detail = `The upstream of ${name} issues so many tokens in a time, and no more. The next login is made when the time is up.`;
    return { ...held, code: 'login_limited', detail };
  }
  if (why === 'time-outs') {
    const detail = `Logins of ${name} have timed out for more than one subject. One is sent when the time is up, and the others follow once the upstream answers it.`;
    return { ...held, code: 'cooldown', cause: 'upstream_timeout', detail };
  }
  const detail = `Logins of ${name} have failed lately, and more of them could lock its account. The next is made when the time is up.`;
  return { ...held, code: 'cooldown', detail };
}

/** Failure of a subject whose login is refused while others have tokens by the same credential. */
function createSubjectFailure(name: string): Pick<AttemptFailure, 'code' | 'detail' | 'backOff' | 'isOfSubject'> {
  return {
    code: 'upstream_subject_rejected',
    detail: `The upstream of ${name} refused this subject, while it takes the credential for others. Check that the subject exists there and may log in.`,
    backOff: 'unknown',
    isOfSubject: true,
  };
}
