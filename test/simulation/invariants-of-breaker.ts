import { isOpen, isProven } from '../../functions/core/slot/logins.ts';
import type { RecordedPermit, RecordedWait, UpstreamRequest, Watch } from './happenings.ts';
import type { Run, Watched } from './run.ts';

/** Longest time between two time-outs that open a breaker, and what clocks and writing may add to it. */
const TOGETHER_MS = 300_000;
const SLACK_MS = 270_000;
const SUBJECTS = 2;
/** A permit that is older may have ended by itself. */
const YOUNG_MS = 20_000;

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

/** 30: no more requests wait for tokens of a connection than may. */
export function waitsAreFew({ run, connection, slot, found }: Watched): Watch {
  const [first] = run.scenario.subjects[connection.name] ?? [];
  const { mostWaits } = run;
  const waits = new Set<RecordedWait['wait']>();
  return {
    wait({ wait, phase, at }) {
      if (slot.subject !== first || mostWaits === undefined) return;
      if (phase === 'waits' && !wait.process.name.startsWith('proxy')) waits.add(wait);
      if (phase === 'ends') waits.delete(wait);
      const on = [...waits].filter(({ process, lastsUntil }) => !process.isDead() && lastsUntil > at);
      if (on.length > mostWaits) found(at, `${on.length} requests wait where ${mostWaits} may`);
    },
  };
}

/** 30: a permit is given back when its wait ends, unless the store is in trouble. */
export function permitsAreGivenBack({ run, connection, slot, found }: Watched): Watch {
  const waits = new Set<RecordedWait['wait']>();
  const taken = new Map<number, RecordedPermit>();
  const { actions, world } = run;
  const isTroubled = (since: number) => {
    const { down, writesDown, replyLost, sentTwice } = world.weather.store;
    const hasChanged = actions.some(({ at, what }) => at >= since && /^(the weather|faults end)/.test(what));
    return hasChanged || down + writesDown + replyLost + sentTwice > 0;
  };
  return {
    wait({ wait, phase }) {
      if (phase === 'has ended') waits.delete(wait);
      else waits.add(wait);
    },
    permit(permit) {
      if (permit.after.holder === undefined) taken.delete(permit.number);
      else taken.set(permit.number, permit);
    },
    answer({ instance, answeredAt, request }) {
      if (request.slot.subject !== slot.subject || request.connection !== connection) return;
      const held = [...taken.values()].filter(({ by, at }) => by === instance && at > answeredAt - YOUNG_MS);
      const on = [...waits].filter(({ process }) => process.name === instance);
      if (held.length > on.length && !isTroubled(Math.min(...held.map(({ at }) => at))))
        found(answeredAt, `${instance} keeps ${held.length} permits with ${on.length} waits`);
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
