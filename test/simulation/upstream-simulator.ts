import type { Upstream, UpstreamFailure, UpstreamOutcome } from '../../functions/core/mint/upstream.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import type { IssuedLife } from '../../functions/core/slot/lifetime.ts';
import { hashOf } from '../../functions/core/slot/token.ts';
import type { BrokerErrorCode } from '../../functions/core/words/errors.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import type { Log, UpstreamRequest } from './happenings.ts';
import type { LoginsRead } from './memory-store.ts';
import { firstOf } from './rotating-grants.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import {
  type IssuedToken,
  type LoginVerdict,
  refreshTokenIn,
  type UpstreamAccounts,
  type UpstreamRules,
} from './upstream-accounts.ts';
import type { VirtualTime } from './virtual-time.ts';

/**
 * A fault of one request to an upstream. `late`: it counts, after the broker has stopped waiting. `blocked`: a firewall
 * answers in its place, 403 in HTML.
 */
export type UpstreamFault =
  | 'unreachable'
  | 'throttled'
  | 'unavailable'
  | 'broken'
  | 'invalid'
  | 'lost'
  | 'late'
  | 'reset_after'
  | 'no_new_token'
  | 'blocked';

/** Probabilities of faults, and the latency of an answer in milliseconds. */
export interface UpstreamWeather {
  faults: Partial<Record<UpstreamFault, number>>;
  /** Faults of slides alone, and of logins alone, on top. They are drawn from a stream of their own. */
  slides: Partial<Record<UpstreamFault, number>>;
  logins: Partial<Record<UpstreamFault, number>>;
  /** The connection whose upstream answers no login, if one does not. */
  hangs?: string | undefined;
  retryAfterMs: number | undefined;
  answerMs: { least: number; most: number };
}

/** A logout that worked. */
type Ended = { readonly kind: 'ended' };
const ENDED: Ended = { kind: 'ended' };

/** Creates one process's way to the upstreams; every request is written into `ledger`, what becomes of it into `log`. */
export function createUpstreamSimulator({
  upstreams,
  ledger,
  record,
  process,
  time,
  random,
  further,
  weather,
  planned,
  loginsRead,
}: {
  readonly upstreams: ReadonlyMap<string, UpstreamAccounts>;
  readonly ledger: UpstreamRequest[];
  readonly record: Log;
  readonly process: SimulatedProcess;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  /** The stream of the faults that befall logins or slides alone. */
  readonly further: SeededRandom;
  readonly weather: UpstreamWeather;
  /** Faults of the next requests, first one first. */
  readonly planned: (UpstreamFault | 'none')[];
  readonly loginsRead: (connection: string) => LoginsRead;
}): Upstream {
  function accountsOf({ name }: Connection): UpstreamAccounts {
    const accounts = upstreams.get(name);
    if (accounts === undefined) throw new Error(`There is no upstream ${name}.`);
    return accounts;
  }

  function faultOf(kind: 'logins' | 'slides' | 'logouts', { name }: Connection): UpstreamFault | undefined {
    const next = planned.shift();
    if (next !== undefined) return next === 'none' ? undefined : next;
    if (kind === 'logins' && name === weather.hangs) return 'lost';
    return random.anyOf(weather.faults) ?? (kind === 'logouts' ? undefined : further.anyOf(weather[kind]));
  }

  /** Sends one request: `judge` is the upstream's part, done when the request arrives there. */
  async function send<Outcome extends UpstreamOutcome | Ended>(
    request: UpstreamRequest,
    judge: () => Outcome,
    fault: UpstreamFault | undefined,
  ): Promise<Outcome | UpstreamFailure> {
    request.fault = fault;
    ledger.push(request);
    record('sent', request, request);
    const { timeoutMs } = request;
    const wayMs = random.integer(weather.answerMs.least, weather.answerMs.most);
    const timedOut = failure('upstream_timeout', 'unknown');
    const outcome = await (async (): Promise<Outcome | UpstreamFailure> => {
      if (fault === 'lost' || fault === 'late') {
        if (fault === 'late') void time.after(wayMs).then(judge);
        await process.step(timeoutMs);
        return timedOut;
      }
      if (wayMs >= timeoutMs) {
        if (fault === undefined) void time.after(random.integer(1, timeoutMs)).then(judge);
        await process.step(timeoutMs);
        return timedOut;
      }
      const thereMs = Math.floor(wayMs * random.fraction());
      await process.step(thereMs);
      const answer = fault === undefined || fault === 'reset_after' ? judge() : faulty(fault, request.kind);
      await process.step(wayMs - thereMs);
      return fault === 'reset_after' ? failure('upstream_outcome_unknown', 'unknown') : answer;
    })();
    request.endedAt = time.now();
    request.outcome = outcome.kind === 'failure' ? outcome.code : outcome.kind;
    if (outcome.kind === 'failure') request.backOff = outcome.backOff;
    record('heard', request, request);
    return outcome;
  }

  function faulty(fault: Exclude<UpstreamFault, 'lost' | 'late' | 'reset_after'>, kind: UpstreamRequest['kind']) {
    const retryAfter = weather.retryAfterMs === undefined ? {} : { retryAfterMs: weather.retryAfterMs };
    switch (fault) {
      case 'unreachable':
        return failure('upstream_unreachable', 'not_judged');
      case 'throttled':
        return { ...failure('upstream_throttled', 'not_judged'), ...retryAfter };
      case 'unavailable':
        return { ...failure('upstream_unavailable', 'not_judged'), ...retryAfter };
      case 'broken':
        return kind === 'login'
          ? failure('upstream_login_ambiguous', 'ambiguous_login')
          : failure('upstream_unavailable', 'unknown');
      case 'invalid':
        return failure('upstream_invalid_response', 'unknown');
      case 'blocked':
        return failure(kind === 'login' ? 'upstream_login_ambiguous' : 'upstream_subject_rejected', 'unknown');
      case 'no_new_token':
        return { ...failure('upstream_invalid_response', 'unknown'), unrenewed: true as const };
    }
  }

  return {
    waysOf(connection) {
      const renewal = { source: 'slide', needsSecret: false } as const;
      const logout = { needsSecret: false } as const;
      return {
        keepsClosed: false,
        ...(accountsOf(connection).rules.canSlide && { renewal }),
        ...(connection.provider.logout !== undefined && { logout }),
      };
    },

    async login({ connection, subject, secret, timeoutMs, keep, onTrial }) {
      const accounts = accountsOf(connection);
      const requestStartedAt = process.clock.now();
      const credential = secret.reveal();
      const request = { ...begun('login', connection, subject, timeoutMs), ...sentIn(credential) };
      const fault = faultOf('logins', connection);
      const judge = () => {
        const verdict = accounts.login(subject, credential);
        if ('refused' in verdict) request.refused = verdict.refused;
        if ('issued' in verdict) give(request, verdict.issued);
        else if (verdict.refused === 'credential') record('counted', request, { request, at: time.now() });
        if ('issued' in verdict && verdict.next !== undefined) request.next = verdict.next;
        return answerToLogin(accounts, verdict, requestStartedAt, time);
      };
      const outcome = await send(request, judge, fault === 'no_new_token' ? undefined : fault);
      onTrial?.({ derived: [], steps: [] });
      const { next } = request;
      if (outcome.kind === 'token' && next !== undefined) await keep?.(new Secret({ refreshToken: next }));
      return outcome;
    },

    renew({ connection, subject, token, timeoutMs }) {
      const accounts = accountsOf(connection);
      const requestStartedAt = process.clock.now();
      const request = begun('slide', connection, subject, timeoutMs);
      const judge = (): UpstreamOutcome => {
        const issued = accounts.slide(subject, token.reveal());
        if (issued === undefined) return { ...failure('upstream_invalid_response', 'unknown'), ended: true };
        give(request, issued);
        return tokenOutcome(accounts, issued, requestStartedAt, time);
      };
      return send(request, judge, faultOf('slides', connection));
    },

    async logout({ connection, subject, token, timeoutMs }) {
      const accounts = accountsOf(connection);
      const request = { ...begun('logout', connection, subject, timeoutMs), ends: hashOf(token) };
      const judge = () => (accounts.logout(token.reveal()) ? ENDED : failure('upstream_invalid_response', 'unknown'));
      const outcome = await send(request, judge, faultOf('logouts', connection));
      return outcome.kind === 'failure' ? outcome : undefined;
    },
  };

  function give(request: UpstreamRequest, issued: IssuedToken): void {
    request.issued = issued;
    record('issued', request, { request, issued });
  }

  function begun(
    kind: UpstreamRequest['kind'],
    { name, fingerprint }: Connection,
    subject: string,
    timeoutMs: number,
  ): UpstreamRequest {
    const { at: loginsReadAt, logins } = loginsRead(name);
    const times = { loginsReadAt, loginsRead: logins, at: time.now(), clockAt: process.clock.now(), timeoutMs };
    return { kind, connection: name, subject, fingerprint, process: process.name, ...times };
  }
}

function answerToLogin(
  accounts: UpstreamAccounts,
  verdict: LoginVerdict,
  requestStartedAt: number,
  time: VirtualTime,
): UpstreamOutcome {
  if ('issued' in verdict) {
    const attributes = { subject: verdict.issued.subject };
    return { ...tokenOutcome(accounts, verdict.issued, requestStartedAt, time), attributes };
  }
  const failures = {
    locked: failure('upstream_account_locked', 'locked'),
    // It says the same of a subject that it does not know.
    subject: failure('upstream_credential_rejected', 'refused'),
    credential: failure('upstream_credential_rejected', 'refused'),
    grant: failure('reauthorization_required', 'refused'),
  } satisfies Record<typeof verdict.refused, UpstreamFailure>;
  return failures[verdict.refused];
}

/** The refresh token of a request, with the operator's credential that it came from. */
function sentIn(credential: string): Pick<UpstreamRequest, 'credential' | 'refreshToken'> {
  const refreshToken = refreshTokenIn(credential);
  return refreshToken === undefined
    ? { credential }
    : { credential: credential.replace(refreshToken, firstOf(refreshToken)), refreshToken };
}

function tokenOutcome(
  { rules }: UpstreamAccounts,
  issued: IssuedToken,
  requestStartedAt: number,
  time: VirtualTime,
): Extract<UpstreamOutcome, { kind: 'token' }> {
  const life = lifeSaidOf(rules, issued, time.now());
  return { kind: 'token', value: new Secret(issued.value), life, requestStartedAt };
}

/** Builds the lifetime that an upstream states for a token issued at `now`. */
export function lifeSaidOf(rules: UpstreamRules, { endsAt }: IssuedToken, now: number): IssuedLife {
  const exp = endsAt + rules.clockOffsetMs;
  const serverDate = Math.floor((now + rules.clockOffsetMs + rules.dateOffsetMs) / 1000) * 1000;
  const lifeBySaying = {
    exp_and_date: { exp, serverDate },
    exp: { exp },
    fixed: { seconds: rules.lifeSeconds },
    nothing: {},
  } satisfies Record<UpstreamRules['says'], IssuedLife>;
  return lifeBySaying[rules.says];
}

function failure(code: BrokerErrorCode, backOff: UpstreamFailure['backOff']): UpstreamFailure {
  return { kind: 'failure', code, backOff, detail: `The simulated upstream: ${code}.` };
}
