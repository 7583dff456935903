import type { RecordedKept, UpstreamRequest, Watch } from './happenings.ts';
import type { Watched } from './run.ts';

/** 19: a refresh token is sent again only where its outcome is unknown to the broker, and never while it is in flight. */
export function noRefreshTokenIsSpentTwice({ run, connection, slot, found }: Watched): Watch {
  const { world } = run;
  /** Refresh tokens that are kept somewhere, and those that were noted as refused. */
  const kept = new Set<string>();
  const refused = new Map<string, string | undefined>();
  const versionOf = ({ credential = '' }: UpstreamRequest) => world.vault.versionOf(connection.secret, credential);
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
    const isFallback = refused.has(before.next) && (run.scenario.graceMs ?? 0) > 0 && !fallbacks.has(refreshToken);
    if (isFallback) fallbacks.add(refreshToken);
    else found(at, `${refreshToken} is sent although its next, ${before.next}, is kept`);
  }

  return {
    kept({ operation, by, refreshToken }: RecordedKept) {
      const own = lastOf(by);
      if (operation === 'version' && refreshToken !== undefined) kept.add(refreshToken);
      if (operation === 'putWaiting' && own?.next !== undefined) kept.add(own.next);
      if (operation === 'noteRefused' && own?.refreshToken !== undefined) refused.set(own.refreshToken, versionOf(own));
      if (operation === 'forgiveKept') refused.clear();
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
