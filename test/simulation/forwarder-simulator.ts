import type { Forwarder, ForwardOutcome } from '../../functions/core/proxy/forwarder.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { hashOf } from '../../functions/core/slot/token.ts';
import type { BrokerErrorCode } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import type { ForwardedCall, Log } from './happenings.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { UpstreamAccounts } from './upstream-accounts.ts';
import { lifeSaidOf, type UpstreamWeather } from './upstream-simulator.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Creates one process's way to the upstreams for proxied calls; every gated answer renews the token (C15). */
export function createForwarderSimulator({
  upstreams,
  calls,
  record,
  process,
  time,
  random,
  weather,
}: {
  readonly upstreams: ReadonlyMap<string, UpstreamAccounts>;
  readonly calls: ForwardedCall[];
  readonly record: Log;
  readonly process: SimulatedProcess;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly weather: UpstreamWeather;
}): Forwarder {
  function judge(connection: Connection, token: Secret<string>, requestStartedAt: number): ForwardOutcome {
    const accounts = upstreams.get(connection.name);
    const known = accounts?.find(hashOf(token));
    const isAlive = known !== undefined && accounts?.isAlive(known.hash, time.now()) === true;
    const answer = { status: isAlive ? 200 : 401, headers: {}, body: new Uint8Array() };
    const slides = isAlive && accounts.rules.canSlide && !random.chance(weather.faults.no_new_token ?? 0);
    const issued = slides ? accounts.slide(known.subject, known.value) : undefined;
    if (accounts === undefined || issued === undefined) return { kind: 'answer', answer, requestStartedAt };
    const slid = { value: new Secret(issued.value), life: lifeSaidOf(accounts.rules, issued, time.now()) };
    return { kind: 'answer', answer, slid, requestStartedAt };
  }

  return {
    async forward({ connection, token, timeoutMs }) {
      const subject = upstreams.get(connection.name)?.find(hashOf(token))?.subject ?? 'nobody';
      const call: ForwardedCall = {
        connection: connection.name,
        subject,
        process: process.name,
        at: time.now(),
        timeoutMs,
      };
      calls.push(call);
      record('forwarded', call, call);
      const requestStartedAt = process.clock.now();
      const wayMs = random.integer(weather.answerMs.least, weather.answerMs.most);
      const outcome = await (async (): Promise<ForwardOutcome> => {
        if (random.chance(weather.faults.unreachable ?? 0)) return failure('upstream_unreachable', 'not_judged');
        if (wayMs >= timeoutMs || random.chance(weather.faults.lost ?? 0)) {
          await process.step(timeoutMs);
          return failure('upstream_timeout', 'unknown');
        }
        await process.step(Math.floor(wayMs / 2));
        const judged = judge(connection, token, requestStartedAt);
        await process.step(Math.ceil(wayMs / 2));
        return judged;
      })();
      call.endedAt = time.now();
      if (outcome.kind === 'answer') call.status = outcome.answer.status;
      record('returned', call, call);
      return outcome;
    },
  };
}

function failure(code: BrokerErrorCode, backOff: 'not_judged' | 'unknown'): ForwardOutcome {
  return { kind: 'failure', code, backOff, detail: `The simulated upstream: ${code}.` };
}
