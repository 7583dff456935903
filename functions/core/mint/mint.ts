import * as changes from '../slot/changes.ts';
import { notBeforeOf } from '../slot/claim.ts';
import type { Connection } from '../slot/connection.ts';
import type { Keys } from '../slot/keys.ts';
import { mintWindowMs } from '../slot/lease.ts';
import type { MintReply, MintRequest } from '../slot/mint-message.ts';
import { isRenewable } from '../slot/next-way.ts';
import { openToken } from '../slot/open-token.ts';
import { type Slot, slotOf } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import type { Trial } from '../slot/trial.ts';
import { BrokerError } from '../words/errors.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import { createBeginAttempt } from './begin.ts';
import type { KeptLogin, SendLogin } from './keep.ts';
import { createLoginGate, type LoginMaterial, type Material } from './lockout.ts';
import {
  type Attempt,
  type AttemptFailure,
  convertError,
  convertUpstreamFailure,
  type Minted,
  writeFailure,
} from './outcome.ts';
import { createPublish, findUnusable } from './publish.ts';
import type { Secrets, SecretVersion } from './secrets.ts';
import type { CandidateTry, SentLogin } from './try-candidate.ts';
import type { IssuedToken, Upstream, UpstreamOutcome } from './upstream.ts';

export interface MintDependencies {
  readonly store: Store;
  readonly keys: Keys;
  readonly secrets: Secrets;
  /** The login of a connection whose credential rotates. */
  readonly loginWithKept: KeptLogin;
  /** The try of a version that is not current yet. */
  readonly tryCandidate: CandidateTry;
  readonly upstream: Upstream;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of this broker: part of what a sealed token is bound to. */
  readonly broker: string;
}

type Result =
  | { readonly minted: Minted }
  | { readonly failure: AttemptFailure }
  /** Another slot's login is proving the secret's version: this one waits for what it shows. */
  | { readonly isWaiting: true; readonly tries: number };
/** Result of a renewal. With `next` a login follows; `rejected`: the upstream says that the session has ended. */
type RenewalResult = Result | { readonly failure: AttemptFailure; readonly next: 'login'; readonly rejected: boolean };

/** Time kept at the end of the window for writing the result of the attempt. */
const WRITING_MS = 1_000;
/** The same where Secrets Manager is written to first: the next value of the credential, or a candidate's label. */
const KEEPING_MS = 3_000;
/** Time after which a slot looks again at what another's login has shown. */
const SHORTEST_DEFERRAL_MS = 500;
const DEFERRAL_SPREAD_MS = 1_000;
/** Shortest time for the upstream in which a request is sent. */
const SHORTEST_REQUEST_MS = 250;

/**
 * Creates `mint`: one attempt under a lease to give a slot its next token, by the way that the lease was taken for. At
 * most one login is sent under one lease. It follows a renewal if that was answered 401 (C19), or was answered well and
 * brought no new token (C16).
 */
export function createMint(
  dependencies: MintDependencies,
): (request: MintRequest, connection: Connection) => Promise<MintReply> {
  const { store, keys, upstream, clock, random } = dependencies;
  const beginAttempt = createBeginAttempt(dependencies);
  const loginGate = createLoginGate(dependencies);
  const publish = createPublish(dependencies);

  return async function mint(request, connection) {
    const beganAt = clock.monotonic();
    const slot = slotOf(connection, request.subject);
    const taken = await beforeSending(() => beginAttempt(request, connection, slot));
    if ('failure' in taken) {
      const { code, detail, retryAfterMs } = taken.failure;
      return { outcome: 'failed', code, detail, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    }
    const held = taken.value;
    if ('outcome' in held) return held;
    const deadline = held.takenAt + mintWindowMs(connection);
    const trials: Trial[] = [];
    const onTrial = request.trigger === 'operator' ? (seen: Trial) => trials.push(seen) : undefined;
    const begun: Attempt = { ...held, connection, slot, trigger: request.trigger, deadline, onTrial };
    const reply = await (request.candidate === true ? tryCandidate(begun) : attemptMint(begun, beganAt));
    // The last, where the value of a credential that rotates was refused and the one before was sent.
    const trial = trials.at(-1);
    return trial === undefined ? reply : { ...reply, trial };
  };

  async function attemptMint(begun: Attempt, beganAt: number): Promise<MintReply> {
    const { attempt, result } = await work(begun);
    if ('isWaiting' in result) return defer(attempt, result.tries, clock.monotonic() - beganAt);
    if ('minted' in result) return publish(attempt, result.minted);
    return writeFailure(dependencies, attempt, result.failure);
  }

  function tryCandidate(begun: Attempt): Promise<MintReply> {
    return dependencies.tryCandidate(begun, { send, ended: loginGate.ended, toMinted, publish });
  }

  /**
   * Puts the slot off for about a second, by the clock of whoever took the lease and waits for it: a clock that is
   * seconds ahead could leave no time to mint. If the write fails, the slot waits for the rest of its lease.
   */
  async function defer(
    { slot, leaseId, connection, takenAt }: Attempt,
    tries: number,
    workedMs: number,
  ): Promise<MintReply> {
    const until = takenAt + workedMs + SHORTEST_DEFERRAL_MS + random.fraction() * DEFERRAL_SPREAD_MS;
    await store.write(slot, changes.defer({ leaseId, until: Math.ceil(until), tries })).catch(() => false);
    dependencies.telemetry.metrics({ connection: connection.name }, { LoginsDeferred: { unit: 'Count', value: 1 } });
    return { outcome: 'waiting' };
  }

  /** Returns the attempt as it ended: by the way that it was begun for, or as the login that followed a renewal. */
  async function work(attempt: Attempt): Promise<{ readonly attempt: Attempt; readonly result: Result }> {
    if (attempt.way === 'login') return { attempt, result: await login(attempt) };
    const result = await renew(attempt);
    if (!('next' in result)) return { attempt, result };
    const turned = await turnToLogin(attempt, result);
    if (turned === undefined) return { attempt, result: { failure: result.failure } };
    return { attempt: turned, result: await login(turned) };
  }

  /**
   * Turns the attempt under the lease of a renewal to a login, if no login is backing off and there is time; the
   * session is over if rejected. Returns undefined if no login may follow.
   */
  async function turnToLogin(
    attempt: Attempt,
    { failure, rejected }: Extract<RenewalResult, { next: 'login' }>,
  ): Promise<Attempt | undefined> {
    const { connection, slot, leaseId, record } = attempt;
    const { generation, tries } = record;
    const now = clock.now();
    const from = { now: Math.max(now, attempt.takenAt), random };
    const notBefore = notBeforeOf(connection, tries, from);
    const isTime = record.notBefore <= now && timeForUpstream(attempt) >= SHORTEST_REQUEST_MS;
    // The login's back-off is written before it, as that of every login: it holds if nobody comes back.
    const turn = { leaseId, seenGeneration: generation, now, notBefore, isRejected: rejected };
    if (isTime && (await isWritten(slot, turn))) {
      const { code, evidence } = failure;
      const facts = {
        connection: connection.name,
        subject: slot.subject,
        code,
        ...(evidence !== undefined && { evidence }),
      };
      dependencies.telemetry.warn('A renewal brought no token; a login follows.', facts);
      return { ...attempt, way: 'login', record: { ...record, tries: tries + 1, notBefore } };
    }
    const hash = record.token?.hash;
    // No later attempt should renew this session again.
    if (rejected && hash !== undefined) {
      await store.write(slot, changes.markRejected({ generation, hash })).catch(() => false);
    }
    return undefined;
  }

  /**
   * Writes the turn to a login. A reply can be lost after the write, whose condition then fails when it is sent again.
   */
  async function isWritten(slot: Slot, turn: Parameters<typeof changes.turnToLogin>[0]): Promise<boolean> {
    try {
      if (await store.write(slot, changes.turnToLogin(turn))) return true;
      const found = await store.read(slot, { consistent: true });
      return found?.lease?.id === turn.leaseId && found.notBefore === turn.notBefore;
    } catch (error) {
      if (error instanceof BrokerError) return false;
      throw error;
    }
  }

  /** Gets the next token without logging in, if the slot still can. */
  async function renew(attempt: Attempt): Promise<RenewalResult> {
    const { connection, slot, record } = attempt;
    const { renewal, keepsClosed } = upstream.waysOf(connection);
    const turned = (failure: AttemptFailure, rejected = false) => ({ failure, next: 'login', rejected }) as const;
    if (renewal === undefined || !isRenewable(connection, record, clock.now())) return turned(NOT_RENEWED);
    const ready = await beforeSending(async () => {
      const [token, material] = await Promise.all([
        openToken({ ...dependencies, opensClosed: true }, slot, record),
        renewal.needsSecret
          ? loginGate.prepareRenewal({ ...attempt, keepsClosed })
          : generateKeys(connection.name, keepsClosed),
      ]);
      return { token, material };
    });
    if ('failure' in ready) return ready;
    const { token, material } = ready.value;
    const isClosed = keepsClosed && token?.closed === undefined;
    if (token === undefined || material === undefined || isClosed) return turned(NOT_RENEWED);

    const timeoutMs = timeForUpstream(attempt);
    if (timeoutMs < SHORTEST_REQUEST_MS) return { failure: createOutOfTimeFailure(connection) };
    const { value, values, closed, secretVersion, attributes } = token;
    const secret = 'secret' in material ? material.secret.value : undefined;
    const outcome = await measure(connection, renewal.source === 'slide' ? 'SlideLatency' : 'RefreshLatency', () =>
      upstream.renew({ connection, subject: slot.subject, token: value, values, closed, secret, timeoutMs }),
    );
    if (outcome.kind === 'failure') {
      const failure = convertUpstreamFailure(outcome);
      if (outcome.ended === true) return turned(failure, true);
      return outcome.unrenewed === true ? turned(failure) : { failure };
    }
    const unusable = findUnusable(attempt, outcome, clock.now());
    if (unusable !== undefined) return turned(unusable);
    const sessionStartedAt = record.token?.sessionStartedAt ?? token.issuedAt;
    const { key, closedKey } = material;
    const { source } = renewal;
    return { minted: { source, issued: outcome, key, closedKey, secretVersion, attributes, sessionStartedAt } };
  }

  async function generateKeys(connection: string, keepsClosed: boolean): Promise<Omit<Material, 'secret'>> {
    const [key, closedKey] = await Promise.all([
      keys.generate(connection),
      keepsClosed ? keys.generate(connection, 'closed') : undefined,
    ]);
    return { key, closedKey };
  }

  async function login(attempt: Attempt): Promise<Result> {
    const sent = await send(attempt);
    if (!('outcome' in sent)) return sent;
    const { material, outcome } = sent;
    const failure = await loginGate.ended(attempt.connection, material, outcome);
    if (outcome.kind === 'failure') return { failure: failure ?? convertUpstreamFailure(outcome) };
    return { minted: toMinted(material, outcome) };
  }

  /** Asks the gate for leave, and sends one login. */
  async function send(attempt: Attempt): Promise<SentLogin | Exclude<Result, { minted: Minted }>> {
    const { connection, slot } = attempt;
    const { keepsClosed } = upstream.waysOf(connection);
    if (timeForUpstream(attempt) < SHORTEST_REQUEST_MS) return { failure: createOutOfTimeFailure(connection) };
    const prepared = await beforeSending(() => loginGate.prepare({ ...attempt, keepsClosed }));
    if ('failure' in prepared) return prepared;
    if (prepared.value === 'waiting') return { isWaiting: true, tries: Math.max(attempt.record.tries - 1, 0) };
    if ('code' in prepared.value) return { failure: prepared.value };
    const material: LoginMaterial = prepared.value;

    const outcome = await sendLogin(attempt, material.secret, async (secret, keep) => {
      const timeoutMs = timeForUpstream(attempt);
      if (timeoutMs < SHORTEST_REQUEST_MS) return { kind: 'failure', ...createOutOfTimeFailure(connection) };
      return measure(connection, 'LoginLatency', () =>
        upstream.login({ connection, subject: slot.subject, secret, timeoutMs, keep, onTrial: attempt.onTrial }),
      );
    });
    if (outcome.warning !== undefined) dependencies.telemetry.warn(outcome.warning, { connection: connection.name });
    return { material, outcome };
  }

  function toMinted({ secret, key, closedKey }: LoginMaterial, issued: IssuedToken): Minted {
    return {
      source: 'login',
      issued,
      key,
      closedKey,
      secretVersion: secret.versionId,
      attributes: issued.attributes ?? {},
      sessionStartedAt: issued.requestStartedAt,
    };
  }

  function sendLogin(attempt: Attempt, operators: SecretVersion, send: SendLogin): Promise<UpstreamOutcome> {
    const { keptSecret } = attempt.connection;
    if (keptSecret === undefined) return send(operators.value);
    return dependencies.loginWithKept({ attempt, keptSecret, operators }, send);
  }

  /** Runs work before the upstream is called, and converts its errors to failures that cannot have counted. */
  async function beforeSending<T>(work: () => Promise<T>): Promise<{ value: T } | { failure: AttemptFailure }> {
    try {
      return { value: await work() };
    } catch (error) {
      return { failure: convertError(error) };
    }
  }

  function timeForUpstream({ connection, candidate, deadline }: Attempt): number {
    const writingMs = connection.keptSecret === undefined && candidate === undefined ? WRITING_MS : KEEPING_MS;
    return Math.min(connection.timeoutSeconds * 1000, deadline - clock.now() - writingMs);
  }

  /** Measures a request to the upstream: how many there were is how many times were measured. */
  async function measure(
    connection: Connection,
    latency: 'LoginLatency' | 'SlideLatency' | 'RefreshLatency',
    work: () => Promise<UpstreamOutcome>,
  ): Promise<UpstreamOutcome> {
    const began = clock.monotonic();
    const outcome = await work();
    // A credential of the wrong shape never reached the upstream.
    if (outcome.kind === 'failure' && outcome.code === 'secret_invalid') return outcome;
    const isRefused = outcome.kind === 'failure' && outcome.backOff === 'refused';
    dependencies.telemetry.metrics(
      { connection: connection.name },
      {
        [latency]: { unit: 'Milliseconds', value: clock.monotonic() - began },
        ...(isRefused ? { RefusedLogins: { unit: 'Count', value: 1 } } : {}),
      },
      { isShared: true },
    );
    return outcome;
  }
}

/** Failure of a renewal that was not sent: the token has ended, was reported dead, or does not open. */
const NOT_RENEWED: AttemptFailure = {
  code: 'cooldown',
  detail: 'The token cannot be renewed, and no login may follow yet. It is tried again when the time is up.',
  backOff: 'not_judged',
  countsAsTry: true,
};

function createOutOfTimeFailure(connection: Connection) {
  return {
    code: 'deadline_exceeded',
    detail: `Nothing was sent to the upstream of ${connection.name}: getting ready took all the time there was.`,
    backOff: 'not_judged',
    countsAsTry: true,
  } as const satisfies AttemptFailure;
}
