import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import type { MintReply } from '../slot/mint-message.ts';
import type { Store } from '../slot/store.ts';
import type { Clock, Telemetry } from '../words/platform.ts';
import type { LoginGate, LoginMaterial } from './lockout.ts';
import { type Attempt, type AttemptFailure, convertError, convertUpstreamFailure, type Minted } from './outcome.ts';
import { findUnusable } from './publish.ts';
import type { Candidates, Secrets, SecretVersion } from './secrets.ts';
import type { IssuedToken, UpstreamOutcome } from './upstream.ts';

/** A login that was sent. */
export interface SentLogin {
  readonly material: LoginMaterial;
  readonly outcome: UpstreamOutcome;
}

/** Steps of a mint that the try of a candidate is made of too. */
export interface LoginSteps {
  /** Asks for leave and sends one login. */
  send(attempt: Attempt): Promise<SentLogin | { readonly failure: AttemptFailure } | { readonly isWaiting: true }>;
  readonly ended: LoginGate['ended'];
  toMinted(material: LoginMaterial, issued: IssuedToken): Minted;
  publish(attempt: Attempt, minted: Minted): Promise<MintReply>;
}

/** Try of a candidate under a borrowed lease. See `createCandidateTry`. */
export type CandidateTry = (attempt: Attempt, steps: LoginSteps) => Promise<MintReply>;

/**
 * Creates the try of a candidate: one login with it through the gate. If the upstream takes it, that very version
 * becomes current, unless another has since it was read, and its token is published. Else the slot, its back-off and
 * what is known of the current version stay as they were. A refused candidate loses its label, so it is sent once.
 */
export function createCandidateTry({
  store,
  secrets,
  candidates,
  telemetry,
  clock,
}: {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly candidates: Candidates;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}): CandidateTry {
  return async function tryCandidate(attempt, steps) {
    const reply = await work(attempt, steps);
    if (reply.outcome === 'published') return reply;
    // If this fails, the lease lapses by itself.
    await store.write(attempt.slot, changes.release({ leaseId: attempt.leaseId })).catch(() => false);
    return reply;
  };

  async function work(attempt: Attempt, steps: LoginSteps): Promise<MintReply> {
    const { connection, slot } = attempt;
    const found = await read(connection);
    if ('failure' in found) return toReply(found.failure);
    const { candidate, currentId } = found;
    if (candidate === undefined) return toReply(createNoneFailure(connection));
    const { versionId } = candidate;
    if (versionId === currentId) return { outcome: 'current' };
    const sent = await steps.send({ ...attempt, candidate });
    if ('isWaiting' in sent) return { outcome: 'waiting' };
    if ('failure' in sent) return { ...toReply(sent.failure), candidate: { versionId, isCurrent: false } };

    const { material, outcome } = sent;
    const made = await makeCurrent(attempt, sent, currentId);
    const isCurrent = made === true;
    const login = { ...material.login, candidate: isCurrent ? 'current' : 'tried' } as const;
    const judged = await steps.ended(connection, { ...material, login }, outcome);
    const isRefused = outcome.kind === 'failure' && outcome.backOff === 'refused';
    const isOver = isCurrent || isRefused;
    // A label that stays costs a login at most, by an operator who asks for it.
    const withdrawn = isOver ? candidates.withdraw(connection.secret, versionId).catch(() => undefined) : undefined;
    const tried = { candidate: { versionId, isCurrent } };
    const about = { connection: connection.name, subject: slot.subject };
    if (isCurrent && outcome.kind === 'token') {
      telemetry.info('A candidate became the current version of its secret.', about);
      const [reply] = await Promise.all([steps.publish(attempt, steps.toMinted(material, outcome)), withdrawn]);
      return { ...reply, ...tried };
    }
    await withdrawn;
    if (typeof made === 'boolean') {
      telemetry.warn('A candidate was taken, and another version had become current.', about);
      return { outcome: 'superseded', ...tried };
    }
    const { code, evidence } = made;
    const why = { code, ...(evidence !== undefined && { evidence }) };
    telemetry.warn('A candidate was tried and did not become current.', { ...about, ...why });
    return { ...toReply(judged ?? made), ...tried };
  }

  async function read({ secret }: Connection): Promise<Found | { readonly failure: AttemptFailure }> {
    try {
      const [current, candidate] = await Promise.all([
        secrets.current({ secret, maxAgeMs: 0 }),
        candidates.find(secret),
      ]);
      return { candidate, currentId: current.versionId };
    } catch (error) {
      return { failure: convertError(error) };
    }
  }

  /**
   * Makes a candidate current if the upstream has taken it. Returns false if another version is current by now, else the
   * failure that keeps it from becoming current.
   */
  async function makeCurrent(
    attempt: Attempt,
    { material, outcome }: SentLogin,
    currentId: string,
  ): Promise<boolean | AttemptFailure> {
    if (outcome.kind === 'failure') return convertUpstreamFailure(outcome);
    const unusable = findUnusable(attempt, outcome, clock.now());
    if (unusable !== undefined) return unusable;
    try {
      return await candidates.promote(attempt.connection.secret, material.secret.versionId, currentId);
    } catch (error) {
      const failure = convertError(error);
      const { name } = attempt.connection;
      return { ...failure, detail: `The upstream of ${name} took the candidate. ${failure.detail}` };
    }
  }
}

interface Found {
  readonly candidate: SecretVersion | undefined;
  readonly currentId: string;
}

function toReply({ code, cause, detail, waitMs, retryAfterMs = waitMs }: AttemptFailure): MintReply {
  return { outcome: 'failed', code, cause, detail, retryAfterMs };
}

function createNoneFailure({ name }: Connection): AttemptFailure {
  return {
    code: 'invalid_request',
    detail: `The secret of ${name} has no candidate: it was tried and is over, or nobody has put one. \`token-broker secret set ${name} --check\` puts one and tries it.`,
    backOff: 'not_judged',
    countsAsTry: false,
  };
}
