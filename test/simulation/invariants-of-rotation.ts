import type { KeptValue } from '../../functions/core/mint/kept-value.ts';
import { type KeptRecord, NOTHING_KEPT } from '../../functions/core/slot/kept.ts';
import type { RecordedKept, UpstreamRequest, Watch } from './happenings.ts';
import type { Watched } from './run.ts';

/** 19: a refresh token is sent again only where its outcome is unknown to the broker, and never while it is in flight. */
export function noRefreshTokenIsSpentTwice({ run, connection, slot, found }: Watched): Watch {
  const { world } = run;
  /** Refresh tokens that are kept somewhere, and those that were noted as refused. */
  const kept = new Set<string>();
  const refused = new Map<string, string | undefined>();
  const versionOf = ({ credential = '' }: UpstreamRequest) => world.vault.versionOf(connection.secret, credential);
  /** Tokens of which it was noted that they brought a token, and were not replaced. */
  const used = new Set<string>();
  const fallbacks = new Set<string>();
  const last = new Map<string, UpstreamRequest>();

  /** The next token that a process heard of last: what it keeps. */
  const lastOf = (by: string): UpstreamRequest | undefined =>
    world.ledger.findLast(({ process, refreshToken }) => process === by && refreshToken !== undefined);

  /** Reports whether a process may have ended, or been stopped, before it kept what it heard. */
  function isExcused({ process }: UpstreamRequest): boolean {
    const instance = world.fleet.instances.find((each) => each.process.name === process);
    const isLost = world.said.metrics.some(({ name }) => name === 'RefreshTokenLost');
    return isLost || instance === undefined || instance.process.isDead() || instance.process.hasFrozen();
  }

  function judge(before: UpstreamRequest, { at, refreshToken = '' }: UpstreamRequest): void {
    if (before.endedAt === undefined && at < before.at + before.timeoutMs)
      found(at, `${refreshToken} is sent while it is in flight`);
    if (before.outcome !== 'token' || before.next === undefined) return;
    if (!kept.has(before.next)) {
      if (!isExcused(before)) found(at, `the next of ${refreshToken} was heard and not kept`);
      return;
    }
    const mayFallBack = refused.has(before.next) && !used.has(before.next) && (run.scenario.graceMs ?? 0) > 0;
    const isFallback = mayFallBack && !fallbacks.has(refreshToken);
    if (isFallback) fallbacks.add(refreshToken);
    else found(at, `${refreshToken} is sent although its next, ${before.next}, is kept`);
  }

  return {
    kept({ operation, by, value }: RecordedKept) {
      const own = lastOf(by);
      if (value !== undefined) kept.add(refreshTokenOf(value));
      if (operation === 'noteRefused' && own?.refreshToken !== undefined) refused.set(own.refreshToken, versionOf(own));
      if (operation === 'forgiveKept') refused.clear();
      const wasUsed = own?.outcome === 'token' && own.next === undefined;
      if (operation === 'endKept' && wasUsed && own.refreshToken !== undefined) used.add(own.refreshToken);
    },
    sent(request) {
      const { at, refreshToken } = request;
      if (refreshToken === undefined || request.fingerprint !== slot.fingerprint) return;
      if (refused.has(refreshToken) && refused.get(refreshToken) === versionOf(request))
        found(at, `${refreshToken} is sent although it was refused`);
      const before = world.ledger.findLast(
        (each) => each !== request && each.connection === connection.name && each.refreshToken === refreshToken,
      );
      if (before !== undefined && last.get(refreshToken) !== request) judge(before, request);
      last.set(refreshToken, request);
    },
  };
}

/** Changes that only the holder of the right to send makes. */
const UNDER_LEASE: ReadonlySet<string> = new Set(['putWaiting', 'noteRefused', 'endKept']);

/** 19: the right to send is taken as it was read, its holder alone writes under it, and the item says what is kept. */
export function theKeptItemIsSound({ run, connection, found }: Watched): Watch {
  const lastRead = new Map<string, KeptRecord | undefined>();
  const leases = new Map<string, string | undefined>();
  /** What is noted of the values that the kept secret has or had. */
  const notes = new Set([noteOf(NOTHING_KEPT)]);
  let waiting: KeptValue | undefined;
  const currentId = () => run.world.keptVault.read(connection.keptSecret ?? '').labels['AWSCURRENT'] ?? '';

  return {
    kept({ operation, at, by, before, after, value }: RecordedKept) {
      if (operation === 'read') lastRead.set(by, after);
      if (operation === 'version' && value !== undefined) notes.add(noteOf(value));
      if (operation === 'read' || operation === 'version' || after === undefined) return;

      if (operation === 'takeKept') {
        if (before !== lastRead.get(by)) found(at, 'the right to send was taken otherwise than as it was read');
        if (after.lease === undefined || after.lease.id === before?.lease?.id)
          found(at, 'the right to send was taken by nobody');
        leases.set(by, after.lease?.id);
      }
      if (before === undefined && operation !== 'takeKept') found(at, `${operation} made a part of an item`);
      if (UNDER_LEASE.has(operation) && before?.lease?.id !== leases.get(by))
        found(at, `${operation} by a process that does not have the right to send`);
      if (after.fence <= (before?.fence ?? 0)) found(at, `${operation} is not counted`);
      if (operation === 'endKept' && after.lease !== undefined) found(at, 'the right to send outlived its attempt');
      if (operation === 'forgiveKept' && after.refused !== undefined) found(at, 'a refusal was not forgiven');
      if (value === undefined ? !notes.has(noteOf(after)) : noteOf(after) !== noteOf(value))
        found(at, `${noteOf(after)} is noted as kept, and is not`);
      if (waiting !== undefined && value?.by !== waiting.by && currentId() === waiting.after)
        found(at, 'a value that waited is gone, and the kept secret still has the one before it');
      waiting = value;
    },
  };
}

/** The version and the generation that the item notes of a value. */
function noteOf({ of, generation }: Pick<KeptRecord, 'of' | 'generation'>): string {
  return `${of}#${generation}`;
}

function refreshTokenOf({ fields: { refreshToken = '' } }: KeptValue): string {
  return refreshToken;
}
