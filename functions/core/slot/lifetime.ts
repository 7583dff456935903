import type { Telemetry } from '../words/platform.ts';
import type { Connection } from './connection.ts';
import { type Slot, slotFraction } from './slot.ts';
import { CLOCK_SKEW_MS, refreshAtOfReissued, type TokenTimes } from './token.ts';

/** End of a new token as the upstream's answer gives it; the core turns it into times. Epoch milliseconds. */
export interface IssuedLife {
  /** The `exp` that the token carries (H12). */
  readonly exp?: number;
  /** The `Date` of the answer (H14). */
  readonly serverDate?: number;
  /** A life fixed by configuration, in seconds (C17). */
  readonly seconds?: number;
}

/** Share of a life over which the refreshes of different slots are spread, so that they do not fall due together. */
const REFRESH_SPREAD = 0.05;

/**
 * Computes when a new token begins, ends and should be refreshed. Its life starts when the request was sent (C17), and
 * is never longer than the connection's `maxTokenAgeSeconds` (H13). See `readEnd` for one that says its end.
 */
export function timesOf(
  issued: { readonly life: IssuedLife; readonly requestStartedAt: number },
  connection: Connection,
  slot: Slot,
): TokenTimes {
  const issuedAt = issued.requestStartedAt;
  const lifeMs = lifeMsOf(issued.life, issuedAt, connection);
  const expiresAt = issuedAt + lifeMs;
  const spread = Math.min(REFRESH_SPREAD, connection.refreshAfter / 2) * slotFraction(slot);
  const wanted = issuedAt + Math.round(lifeMs * (connection.refreshAfter - spread));
  // A life shorter than configured must still be refreshed before the token stops being usable.
  const latest = expiresAt - CLOCK_SKEW_MS - connection.minTtlSeconds * 1000;
  const { reissues, single } = connection.provider.limits ?? {};
  if (reissues === true) return { issuedAt, expiresAt, refreshAt: refreshAtOfReissued(expiresAt) };
  // A new token would end the one that callers hold.
  const refreshAt = single === true ? latest : Math.min(wanted, latest);
  return { issuedAt, expiresAt, refreshAt: Math.max(issuedAt, refreshAt) };
}

/** Warns of what is doubtful about a token, its end by the clocks too; returns the warning, for the status. */
export function warnOfToken(
  telemetry: Pick<Telemetry, 'warn'>,
  connection: Connection,
  issued: { readonly life: IssuedLife; readonly requestStartedAt: number; readonly tokenWarning?: string },
): string | undefined {
  const found = [issued.tokenWarning, findClockWarning(issued, connection)].filter((each) => each !== undefined);
  if (found.length === 0) return undefined;
  const warning = found.join(' ');
  telemetry.warn(warning, { connection: connection.name });
  return warning;
}

/**
 * Returns the warning of a token whose `exp` does not agree with one of the two clocks that it can be held against:
 * that of the answer, or the broker's.
 */
export function findClockWarning(
  { life, requestStartedAt }: { readonly life: IssuedLife; readonly requestStartedAt: number },
  connection: Connection,
): string | undefined {
  if (life.exp === undefined) return undefined;
  const { isByOne } = readEnd({ ...life, exp: life.exp }, requestStartedAt, connection);
  if (!isByOne) return undefined;
  const offSeconds = Math.round(((life.serverDate ?? requestStartedAt) - requestStartedAt) / 1000);
  const off = `${Math.abs(offSeconds)} s ${offSeconds < 0 ? 'behind' : 'ahead of'}`;
  return `The clock of the answer is ${off} the broker's, and by one of the two the token ends almost at once: its end is taken by the other. Set the upstream's clock to network time.`;
}

function lifeMsOf(life: IssuedLife, requestStartedAt: number, connection: Connection): number {
  const maximumMs = connection.maxTokenAgeSeconds * 1000;
  if (life.seconds !== undefined) return Math.min(life.seconds * 1000, maximumMs);
  if (life.exp === undefined) return maximumMs;
  return Math.min(readEnd({ ...life, exp: life.exp }, requestStartedAt, connection).lifeMs, maximumMs);
}

/**
 * Reads the life of a token by its `exp`, less the answer's `Date` and less the time of sending: the shorter of the two
 * (H14), so that a wrong `Date` makes no token live longer. Where by one of the clocks it is too short to be handed out
 * after a slow login, by whichever clock within s, that clock is wrong, for nobody issues such a token: then it is the
 * longer.
 */
function readEnd(
  { exp, serverDate = Number.NaN }: IssuedLife & { readonly exp: number },
  requestStartedAt: number,
  { minTtlSeconds, timeoutSeconds }: Connection,
): { readonly lifeMs: number; readonly isByOne: boolean } {
  const lives = [exp - serverDate, exp - requestStartedAt].filter((life) => !Number.isNaN(life));
  const [shorter, longer] = [Math.min(...lives), Math.max(...lives)];
  const leastMs = (minTtlSeconds + timeoutSeconds) * 1000 + 2 * CLOCK_SKEW_MS;
  const isByOne = shorter < leastMs && longer >= leastMs;
  return { lifeMs: isByOne ? longer : shorter, isByOne };
}
