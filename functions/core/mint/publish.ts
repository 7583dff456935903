import type { SlotChange } from '../slot/changes.ts';
import * as changes from '../slot/changes.ts';
import { DAY_SECONDS, publishedTtlSeconds } from '../slot/item-end.ts';
import { timesOf, warnOfToken } from '../slot/lifetime.ts';
import type { MintReply } from '../slot/mint-message.ts';
import { findUseBy } from '../slot/next-way.ts';
import { expiresAtOf, type SealedToken } from '../slot/record.ts';
import { sealClosed, sealNext } from '../slot/seal.ts';
import type { Store } from '../slot/store.ts';
import { CLOCK_SKEW_MS, hashOf, isUsable, refreshAtOfReissued, shortHash, type TokenTimes } from '../slot/token.ts';
import { BrokerError } from '../words/errors.ts';
import type { Clock, Random, Telemetry } from '../words/platform.ts';
import { type Attempt, type AttemptFailure, type Minted, writeFailure } from './outcome.ts';
import type { IssuedToken } from './upstream.ts';

const SHORTEST_RETRY_MS = 50;
const SAME_UNTIL_ITS_END =
  'It issues no other until that one ends: say `limits.reissues` in the provider if it always does, and set a smaller `minTtlSeconds`.';
const RETRY_SPREAD_MS = 200;

/**
 * Creates the end of a successful attempt: it seals the token and publishes it as the next generation, if the lease is
 * still held and no generation came between. Else it discards the token, so that an older never replaces a newer.
 */
export function createPublish(dependencies: {
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  readonly broker: string;
}): (attempt: Attempt, minted: Minted) => Promise<MintReply> {
  const { store, telemetry, clock, random, broker } = dependencies;

  return async function publish(attempt, minted) {
    const { connection, slot, leaseId, record, trigger } = attempt;
    const times = timesIn(attempt, minted.issued);
    const now = clock.now();
    const unusable = findUnusable(attempt, minted.issued, now);
    if (unusable !== undefined) return writeFailure(dependencies, attempt, unusable);
    const generation = record.generation + 1;
    const warning = warnOfToken(telemetry, connection, minted.issued);
    const content = { ...sealContent(attempt, minted), warning };
    const sealed = sealNext(dependencies, slot, record, { ...minted, ...times, ...content });
    const token = { ...sealed, mintMs: Math.max(now - attempt.takenAt, 0) };
    const stillRefused = minted.source === 'login' ? undefined : record.refusedVersion;
    const publication = changes.publish({
      leaseId,
      seenGeneration: record.generation,
      token,
      dueAt: times.refreshAt,
      ttlSeconds: Math.max(publishedTtlSeconds(token, stillRefused, record.ttlSeconds), keptUntil(attempt, times)),
      keepsRefusal: minted.source !== 'login',
      provesVersion: minted.source === 'login' && minted.secretVersion === record.unprovenVersion,
      lastHandedOutAt: trigger === 'caller' ? now : undefined,
    });
    const became = await put(attempt, publication, token);
    if (became === 'published') {
      telemetry.info('A token was published.', {
        connection: connection.name,
        subject: slot.subject,
        generation,
        source: minted.source,
        tokenHash: shortHash(token.hash),
        expiresAt: new Date(times.expiresAt).toISOString(),
      });
      return { outcome: 'published', generation, source: minted.source };
    }
    if (became === 'superseded') {
      // If this fails, the lease lapses by itself.
      await store.write(slot, changes.release({ leaseId })).catch(() => false);
      return { outcome: 'superseded' };
    }
    return {
      outcome: 'failed',
      code: 'store_unavailable',
      detail: 'A token was issued but could not be stored, and was discarded. It is tried again when the time is up.',
      // The back-off that was written with the lease holds.
      retryAfterMs: Math.max(record.notBefore - clock.now(), 0),
    };
  };

  function sealContent({ slot }: Attempt, { issued, closedKey, sessionStartedAt, secretVersion }: Minted) {
    const { value, values = {}, closed } = issued;
    const place = { broker, slot, sessionStartedAt, secretVersion };
    const isClosed = closed !== undefined && closedKey !== undefined;
    return { value, values, ...(isClosed && sealClosed(closed, closedKey, place, random)) };
  }

  /** An item with a refresh token that lapses stays for the schedule to use it; epoch seconds. */
  function keptUntil({ connection }: Attempt, times: TokenTimes): number {
    const useBy = findUseBy(connection, times);
    return useBy === undefined ? 0 : Math.ceil(useBy / 1000) + DAY_SECONDS;
  }

  /** Writes until the outcome is known or the time is up, so that a short outage of the store loses no login. */
  async function put(
    { slot, deadline }: Attempt,
    publication: SlotChange,
    { publicationId }: SealedToken,
  ): Promise<'published' | 'superseded' | 'unknown'> {
    for (;;) {
      try {
        if (await store.write(slot, publication)) return 'published';
        const found = await store.read(slot, { consistent: true });
        return found?.token?.publicationId === publicationId ? 'published' : 'superseded';
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        const waitMs = SHORTEST_RETRY_MS + random.fraction() * RETRY_SPREAD_MS;
        if (clock.now() + waitMs >= deadline) return 'unknown';
        await clock.sleep(waitMs);
      }
    }
  }
}

/**
 * Computes the times of a new token. The very token held is kept to its end, since a login before that would bring it
 * again. Where it carries its end, that stands, though a wrong `Date` may say more; unless it is brought again after
 * that, which shows that it lives, or was counted by its greatest age.
 */
function timesIn(
  { connection, slot, way, record: { token } }: Pick<Attempt, 'connection' | 'slot' | 'way' | 'record'>,
  issued: IssuedToken,
): TokenTimes {
  const times = timesOf(issued, connection, slot);
  if (token === undefined || way !== 'login' || hashOf(issued.value) !== token.hash) return times;
  const knownEnd = expiresAtOf(token);
  const isByAge = knownEnd - token.issuedAt >= connection.maxTokenAgeSeconds * 1000;
  const isOver = issued.requestStartedAt > knownEnd + CLOCK_SKEW_MS;
  const stands = issued.life.exp !== undefined && !isByAge && !isOver;
  const expiresAt = stands ? Math.min(times.expiresAt, knownEnd) : times.expiresAt;
  return { ...times, expiresAt, refreshAt: refreshAtOfReissued(expiresAt) };
}

/** Returns the failure that a new token is if it is too short to hand out. */
export function findUnusable(
  attempt: Pick<Attempt, 'connection' | 'slot' | 'way' | 'record'>,
  issued: IssuedToken,
  now: number,
): AttemptFailure | undefined {
  const { connection, way, record } = attempt;
  const { expiresAt } = timesIn(attempt, issued);
  if (isUsable({ expiresAt }, now, connection.minTtlSeconds)) return undefined;
  const leftSeconds = Math.floor((expiresAt - now) / 1000);
  const { reissues } = connection.provider.limits ?? {};
  // Another that was asked for before its end would be the same again.
  const isAgain = hashOf(issued.value) === record.token?.hash;
  const isSame = way === 'login' && (reissues === true || isAgain);
  const nextAt = refreshAtOfReissued(expiresAt);
  // One that has ended by the broker's clock would be brought at once again and again.
  const isEnding = isSame && nextAt > now;
  return {
    code: 'upstream_token_unusable',
    detail: `The upstream of ${connection.name} issued ${isAgain ? 'the same token again' : 'a token'} with ${leftSeconds} s to go, less than minTtlSeconds (${connection.minTtlSeconds}) and 5 s. ${isEnding ? SAME_UNTIL_ITS_END : 'Look at the clock of the upstream (skew), and at the expiry set for its key.'}`,
    evidence: `${isAgain ? 'the same token again' : 'a token'}, with ${leftSeconds} s to go`,
    backOff: 'unknown',
    countsAsTry: !isEnding,
    // No failure of anybody's: the next one comes right after its end.
    ...(isEnding && { waitMs: nextAt - now }),
  };
}
