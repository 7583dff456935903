import { isOpen, isProven } from '../../functions/core/slot/logins.ts';
import type { UpstreamRequest, Watch } from './happenings.ts';
import type { Run, Watched } from './run.ts';

/** Longest time between two time-outs that open a breaker, and what clocks and writing may add to it. */
const TOGETHER_MS = 300_000;
const SLACK_MS = 270_000;
const SUBJECTS = 2;

/** 28: while the breaker is open one login at a time is sent. */
export function openBreakersLetOneThrough({ run, connection, slot, found }: Watched): Watch {
  return {
    sent(request) {
      if (!isTrial(run, request) || request.subject !== slot.subject) return;
      const { ledger } = run.world;
      const other = ledger
        .slice(0, ledger.indexOf(request))
        .find((each) => each.connection === connection.name && isTrial(run, each) && isUnderWay(each, request.at));
      if (other !== undefined)
        found(request.at, `${request.process} logs in while ${other.process} tries whether the upstream answers`);
    },
  };
}

/** 28: a breaker opens by the time-outs of two subjects, and holds nobody back for longer than half a minute at a time. */
export function breakersOpenOnEvidence({ run, connection, slot, found }: Watched): Watch {
  const [first] = run.scenario.subjects[connection.name] ?? [];
  return {
    logins({ at, before, after }) {
      if (slot.subject !== first || !isOpen(after) || (before !== undefined && isOpen(before))) return;
      const silent = run.world.ledger.filter(
        ({ kind, connection: name, outcome, endedAt = 0 }) =>
          kind === 'login' &&
          name === connection.name &&
          outcome === 'upstream_timeout' &&
          endedAt > at - TOGETHER_MS - SLACK_MS,
      );
      const subjects = new Set(silent.map(({ subject }) => subject));
      if (subjects.size < SUBJECTS) found(at, `the breaker opens by time-outs of ${[...subjects].join() || 'nobody'}`);
    },
  };
}

/** A login whose sender had read that the breaker is open. */
function isTrial(
  { scenario, world }: Run,
  { kind, connection: name, credential, loginsRead }: UpstreamRequest,
): boolean {
  if (kind !== 'login' || loginsRead === undefined || !isOpen(loginsRead)) return false;
  const connection = scenario.connections.find((each) => each.name === name);
  return isProven(loginsRead, world.vault.versionOf(connection?.secret ?? '', credential ?? '') ?? '');
}

function isUnderWay({ at, endedAt, timeoutMs }: UpstreamRequest, now: number): boolean {
  return (endedAt === undefined || endedAt > now) && now < at + timeoutMs;
}
