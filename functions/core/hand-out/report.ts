import { hashCaller } from '../slot/caller.ts';
import * as changes from '../slot/changes.ts';
import type { Connection } from '../slot/connection.ts';
import type { SlotRecord } from '../slot/record.ts';
import type { Slot } from '../slot/slot.ts';
import type { Store } from '../slot/store.ts';
import { BrokerError } from '../words/errors.ts';
import type { Clock } from '../words/platform.ts';
import { type TokenId, tokenIdOf } from './next-step.ts';

/** A caller's report that a token is dead. */
export interface Report {
  readonly connection: Connection;
  readonly slot: Slot;
  readonly caller: string;
  readonly rejectedHash: string;
}

/** Record after a report, read consistently, and the token that will not do; none if the report is of another. */
export interface AfterReport {
  readonly record: SlotRecord | undefined;
  readonly not: TokenId | undefined;
}

/** Longest cooldown, however many reports of a caller came in a row. */
const LONGEST_COOLDOWN_SECONDS = 3_600;
/** Time after a report within which a new token counts as issued for it. */
const ISSUED_ON_REPORT_MS = 60_000;
/** Callers whose reports are remembered, the latest. */
const MOST_REPORTERS = 50;

/**
 * Marks a token dead on a caller's report. A report of a token that is no longer current is answered as a GET. Throws
 * `renewal_throttled` if the token is too young to be renewed on this caller's word.
 */
export async function acceptReport(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  { connection, slot, caller, rejectedHash }: Report,
): Promise<AfterReport> {
  const reporter = hashCaller(caller);
  for (;;) {
    const record = await store.read(slot, { consistent: true });
    if (record?.token === undefined || record.token.hash !== rejectedHash) return { record, not: undefined };
    const { generation, token } = record;
    const { issuedAt } = token;
    const now = clock.now();
    const counts = readCounts(record, issuedAt);
    const count = counts.get(reporter) ?? 0;
    assertRenewable(connection, record, { issuedAt, count }, now);
    const not = tokenIdOf({ generation, token });
    counts.delete(reporter);
    const reports = writeCounts(counts.set(reporter, count + 1));
    const isMarked =
      record.rejectedGeneration === generation ||
      (await store.write(slot, changes.markRejected({ ...not, reports, reportedAt: now })));
    if (isMarked) return { record: { ...record, rejectedGeneration: generation }, not };
  }
}

/**
 * Reads how many reports of each caller were accepted in a row, up to a token: none if that was issued for another
 * reason than a report, such as the end of the one before.
 */
function readCounts({ reports = '', reportedAt = 0 }: SlotRecord, issuedAt: number): Map<string, number> {
  const entries = issuedAt - reportedAt <= ISSUED_ON_REPORT_MS ? reports.split(' ') : [];
  return new Map(
    entries.flatMap((entry) => {
      const [caller = '', count] = entry.split(':');
      return Number(count) > 0 ? [[caller, Number(count)]] : [];
    }),
  );
}

function writeCounts(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .slice(-MOST_REPORTERS)
    .map(([caller, count]) => `${caller}:${count}`)
    .join(' ');
}

function assertRenewable(
  connection: Connection,
  { renewalBarredUntil = 0 }: SlotRecord,
  { issuedAt, count }: { readonly issuedAt: number; readonly count: number },
  now: number,
): void {
  const cooldown = connection.renewalCooldownSeconds;
  const seconds = Math.max(cooldown, Math.min(cooldown * 2 ** count, LONGEST_COOLDOWN_SECONDS));
  const renewableAt = Math.max(issuedAt + seconds * 1000, renewalBarredUntil);
  if (now >= renewableAt) return;
  throw new BrokerError(
    'renewal_throttled',
    `${connection.name} does not renew a token on this caller's word within ${seconds} s of its issue, nor right after a renewal that did not help.`,
    { retryAfterMs: renewableAt - now },
  );
}
