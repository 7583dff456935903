import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import type { Keys } from '../slot/keys.ts';
import { mintWindowMs } from '../slot/lease.ts';
import type { MintReply, MintRequest } from '../slot/mint-message.ts';
import { openToken } from '../slot/open-token.ts';
import { isRejected } from '../slot/record.ts';
import { type Slot, slotOf } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import { createBeginAttempt } from './begin.ts';
import { createLoginGate, type LoginMaterial } from './lockout.ts';
import { type Attempt, type AttemptFailure, convertError, type Minted, writeFailure } from './outcome.ts';
import { createPublish } from './publish.ts';
import type { Secrets } from './secrets.ts';
import type { Upstream, UpstreamFailure, UpstreamOutcome } from './upstream.ts';

export interface MintDependencies {
  readonly store: Store;
  readonly keys: Keys;
  readonly secrets: Secrets;
  readonly upstream: Upstream;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of this broker: part of what a sealed token is bound to. */
  readonly broker: string;
}

/** Result of an attempt. A renewal can also end because the upstream said that the session has ended. */
type Result = { readonly minted: Minted } | { readonly failure: AttemptFailure };
type RenewalResult = Result | { readonly ended: AttemptFailure; readonly hash: string };

/** Time kept at the end of the window for writing the result of the attempt. */
const WRITING_MS = 1_000;
/** Shortest time for the upstream in which a request is sent. */
const SHORTEST_REQUEST_MS = 250;

/**
 * Creates `mint`: one attempt under a lease to give a slot its next token, by a slide or a refresh if provider and slot
 * allow it, else by a login. At most one request that the upstream may count is sent under one lease; the exception is
 * the login after a slide that was answered 401 (C19).
 */
export function createMint(
  dependencies: MintDependencies,
): (request: MintRequest, connection: Connection) => Promise<MintReply> {
  const { store, keys, upstream, clock } = dependencies;
  const beginAttempt = createBeginAttempt(dependencies);
  const loginGate = createLoginGate(dependencies);
  const publish = createPublish(dependencies);

  return async function mint(request, connection) {
    const slot = slotOf(connection, request.subject);
    const taken = await beforeSending(() => beginAttempt(request, connection, slot));
    if ('failure' in taken) return { outcome: 'failed', code: taken.failure.code, detail: taken.failure.detail };
    const held = taken.value;
    if ('outcome' in held) return held;
    const deadline = held.takenAt + mintWindowMs(connection);
    const attempt: Attempt = { ...held, connection, slot, trigger: request.trigger, deadline };
    const result = await work(attempt);
    return 'minted' in result ? publish(attempt, result.minted) : writeFailure(dependencies, attempt, result.failure);
  };

  async function work(attempt: Attempt): Promise<Result> {
    const renewed = await renew(attempt);
    if (renewed !== undefined && !('ended' in renewed)) return renewed;
    if (renewed !== undefined) {
      // No later attempt should renew this session again, even if the login fails.
      const { slot, record } = attempt;
      const report = changes.markRejected({ generation: record.generation, hash: renewed.hash });
      await store.write(slot, report).catch(() => false);
      if (timeForUpstream(attempt) < SHORTEST_REQUEST_MS) return { failure: renewed.ended };
    }
    return login(attempt);
  }

  /** Gets the next token without logging in, or returns undefined if the slot must log in. */
  async function renew(attempt: Attempt): Promise<RenewalResult | undefined> {
    const { connection, slot, record } = attempt;
    const { renewal, keepsClosed } = upstream.waysOf(connection);
    if (renewal === undefined || !isRenewable(attempt, clock.now())) return undefined;
    const ready = await beforeSending(async () => {
      const [token, material] = await Promise.all([
        openToken({ ...dependencies, opensClosed: true }, slot, record),
        renewal.needsSecret ? loginGate.prepare({ ...attempt, keepsClosed }) : generateKeys(slot, keepsClosed),
      ]);
      return { token, material };
    });
    if ('failure' in ready) return ready;
    const { token, material } = ready.value;
    if ('code' in material) return { failure: material };
    if (token === undefined || (keepsClosed && token.closed === undefined)) return undefined;

    const timeoutMs = timeForUpstream(attempt);
    if (timeoutMs < SHORTEST_REQUEST_MS) return { failure: createOutOfTimeFailure(connection) };
    const { value, values, closed, secretVersion, attributes } = token;
    const secret = 'secret' in material ? material.secret.value : undefined;
    const outcome = await measure(connection, renewal.source === 'slide' ? 'Slides' : 'Refreshes', () =>
      upstream.renew({ connection, subject: slot.subject, token: value, values, closed, secret, timeoutMs }),
    );
    if (outcome.kind === 'failure') {
      const failure = convertUpstreamFailure(outcome);
      return outcome.ended === true ? { ended: failure, hash: token.hash } : { failure };
    }
    const sessionStartedAt = record.token?.sessionStartedAt ?? token.issuedAt;
    const { key, closedKey } = material;
    const { source } = renewal;
    return { minted: { source, issued: outcome, key, closedKey, secretVersion, attributes, sessionStartedAt } };
  }

  async function generateKeys(slot: Slot, keepsClosed: boolean): Promise<Pick<LoginMaterial, 'key' | 'closedKey'>> {
    const [key, closedKey] = await Promise.all([
      keys.generate(slot),
      keepsClosed ? keys.generate(slot, 'closed') : undefined,
    ]);
    return { key, closedKey };
  }

  async function login(attempt: Attempt): Promise<Result> {
    const { connection, slot } = attempt;
    const { keepsClosed } = upstream.waysOf(connection);
    const prepared = await beforeSending(() => loginGate.prepare({ ...attempt, keepsClosed }));
    if ('failure' in prepared) return prepared;
    if ('code' in prepared.value) return { failure: prepared.value };
    const material: LoginMaterial = prepared.value;

    const timeoutMs = timeForUpstream(attempt);
    if (timeoutMs < SHORTEST_REQUEST_MS) return { failure: createOutOfTimeFailure(connection) };
    const { value: secret, versionId: secretVersion } = material.secret;
    const outcome = await measure(connection, 'Logins', () =>
      upstream.login({ connection, subject: slot.subject, secret, timeoutMs }),
    );
    if (outcome.warning !== undefined) dependencies.telemetry.warn(outcome.warning, { connection: connection.name });
    if (outcome.kind === 'failure') {
      if (outcome.backOff !== 'refused') return { failure: convertUpstreamFailure(outcome) };
      await loginGate.refused(slot, secretVersion);
      return { failure: { ...convertUpstreamFailure(outcome), refusedVersion: secretVersion } };
    }
    await loginGate.succeeded(connection, material);
    return {
      minted: {
        source: 'login',
        issued: outcome,
        key: material.key,
        closedKey: material.closedKey,
        secretVersion,
        attributes: outcome.attributes ?? {},
        sessionStartedAt: outcome.requestStartedAt,
      },
    };
  }

  /** Runs work before the upstream is called, and converts its errors to failures that cannot have counted. */
  async function beforeSending<T>(work: () => Promise<T>): Promise<{ value: T } | { failure: AttemptFailure }> {
    try {
      return { value: await work() };
    } catch (error) {
      return { failure: convertError(error) };
    }
  }

  function timeForUpstream({ connection, deadline }: Attempt): number {
    return Math.min(connection.timeoutSeconds * 1000, deadline - clock.now() - WRITING_MS);
  }

  async function measure(
    connection: Connection,
    count: 'Logins' | 'Slides' | 'Refreshes',
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
        [count]: { unit: 'Count', value: 1 },
        ...(isRefused ? { RefusedLogins: { unit: 'Count', value: 1 } } : {}),
        UpstreamLatency: { unit: 'Milliseconds', value: clock.monotonic() - began },
      },
    );
    return outcome;
  }
}

/** Reports whether the slot's token can be renewed: it is alive, not reported dead, its session not too old (C20). */
function isRenewable({ connection, record }: Attempt, now: number): boolean {
  const { token, failure } = record;
  if (token === undefined || isRejected(record)) return false;
  const sessionEndsAt = token.sessionStartedAt + (connection.maxSessionSeconds ?? 0) * 1000;
  // An answer without a usable new token (C16) would come again: log in rather than let the session run out.
  const cannotRenew = failure?.code === 'upstream_invalid_response';
  return now < token.usableUntil && now < sessionEndsAt && !cannotRenew;
}

function convertUpstreamFailure({ code, detail, backOff, retryAfterMs }: UpstreamFailure): AttemptFailure {
  return { code, detail, backOff, countsAsTry: true, retryAfterMs };
}

function createOutOfTimeFailure(connection: Connection): AttemptFailure {
  return {
    code: 'deadline_exceeded',
    detail: `Nothing was sent to the upstream of ${connection.name}: getting ready took all the time there was.`,
    backOff: 'not_judged',
    countsAsTry: true,
  };
}
