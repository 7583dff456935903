import type { Connection } from './connection.ts';
import type { Provider } from './provider.ts';
import { hasUsableToken, isReissued, isRejected, type SealedToken, type SlotRecord } from './record.ts';
import { namesIn } from './text.ts';

/** Way to a slot's next token at a moment; `none`: there is none before `until`, epoch milliseconds. */
export type NextWay = { readonly way: 'renewal' | 'login' } | { readonly way: 'none'; readonly until: number };

/** Longest time before a token's last use at which a login takes the place of renewals that fail. */
const LONGEST_LEAD_MS = 90_000;
/** The same, as a share of the token's life. */
const LEAD_SHARE = 0.1;

/**
 * Reports whether a connection can renew a token: it cannot where its settings leave out a path that renewal goes by.
 */
export function canRenew({
  provider,
  settings,
}: {
  readonly provider: Pick<Provider, 'renewal' | 'settings'>;
  readonly settings: Connection['settings'];
}): boolean {
  const { renewal } = provider;
  if (renewal === undefined) return false;
  const steps = 'slide' in renewal ? [renewal.slide] : renewal.refresh;
  const names = steps.flatMap(({ url }) => namesIn(url));
  return !names.some((name) => provider.settings?.[name]?.kind === 'path' && settings[name] === undefined);
}

/**
 * Reports whether a slot's token may be renewed: it is good and was not reported dead, and its session is not too old
 * (C20). A token that is no longer good enough to hand out is not renewed, since a renewal may fail where a login does
 * not.
 */
export function isRenewable(
  connection: Connection,
  record: SlotRecord,
  now: number,
): record is SlotRecord & { readonly token: SealedToken } {
  if (!hasUsableToken(record, now, connection.minTtlSeconds) || isRejected(record)) return false;
  const sessionEndsAt = record.token.sessionStartedAt + (connection.maxSessionSeconds ?? 0) * 1000;
  return now < sessionEndsAt && canRenew(connection);
}

/**
 * Finds the way to a slot's next token: a renewal while its token can be renewed, else a login. Each waits for its own
 * back-off and for no other's. Where renewals fail, a login takes their place shortly before the token's last use; or
 * at once, while they back off and this token will not do (`isNeeded`).
 */
export function nextWay(connection: Connection, record: SlotRecord, now: number, isNeeded = false): NextWay {
  const { notBefore: heldBackUntil, renewalNotBefore = 0, renewalTries = 0 } = record;
  // Before its end a login would bring the same token again.
  const reissuedUntil = isReissued(record) && !isRejected(record) ? (record.token?.refreshAt ?? 0) : 0;
  const notBefore = Math.max(heldBackUntil, reissuedUntil);
  const mayLogIn = notBefore <= now;
  if (!isRenewable(connection, record, now)) return mayLogIn ? { way: 'login' } : { way: 'none', until: notBefore };
  const leadsAt = leadsAtOf(connection, record.token);
  const isLate = now >= leadsAt;
  const mayRenew = renewalNotBefore <= now;
  if (mayRenew && !(isLate && renewalTries > 0 && mayLogIn)) return { way: 'renewal' };
  if (isLate || isNeeded)
    return mayLogIn ? { way: 'login' } : { way: 'none', until: Math.min(renewalNotBefore, notBefore) };
  return { way: 'none', until: Math.min(renewalNotBefore, Math.max(leadsAt, notBefore)) };
}

function leadsAtOf({ minTtlSeconds }: Connection, { issuedAt, usableUntil }: SealedToken): number {
  const lastUsedAt = usableUntil - minTtlSeconds * 1000;
  return lastUsedAt - Math.min(LONGEST_LEAD_MS, (usableUntil - issuedAt) * LEAD_SHARE);
}

/** Share of its life after which a refresh token is used although nobody asks: the rest is for outages. */
const USED_WITHIN = 0.5;

/** Finds when the schedule must use a refresh token that lapses unused. Each token of the slot is a use of it. */
export function findUseBy(
  { provider }: Pick<Connection, 'provider'>,
  token: { readonly issuedAt: number } | undefined,
): number | undefined {
  const lapses = Object.values(provider.secretFields).flatMap(({ rotates }) => rotates?.lapsesAfterSeconds ?? []);
  if (token === undefined || lapses.length === 0) return undefined;
  return token.issuedAt + Math.floor(Math.min(...lapses) * 1000 * USED_WITHIN);
}

/** Reports whether a connection's refresh token lapses if nobody uses it. */
export function isLapsing(connection: Pick<Connection, 'provider'>): boolean {
  return findUseBy(connection, { issuedAt: 0 }) !== undefined;
}
