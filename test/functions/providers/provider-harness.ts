import { createUpstreamHttp } from '../../../functions/adapters/upstream-http.ts';
import { type Connection, fingerprintOf } from '../../../functions/core/connection.ts';
import type { Upstream, UpstreamFailure, UpstreamOutcome } from '../../../functions/core/ports.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { createUpstream } from '../../../functions/providers/engine.ts';
import type { Http, HttpRequest, HttpResponse } from '../../../functions/providers/http.ts';
import type { Provider } from '../../../functions/providers/provider.ts';
import { providerOf } from '../../../functions/providers/table.ts';

/** A connection of a provider with its defaults, as configuration would make it. */
export function connectionOf(
  providerName: string,
  baseUrl: string,
  change: { readonly settings?: Record<string, string>; readonly provider?: Provider } & Partial<
    Pick<Connection, 'lifetimeSeconds' | 'maxTokenAgeSeconds'>
  > = {},
): Connection {
  const provider = change.provider ?? providerOf(providerName);
  if (provider === undefined) throw new Error(`no provider ${providerName}`);
  const defaults = Object.entries(provider.settings).flatMap(([key, setting]): [string, string][] =>
    setting.default === undefined ? [] : [[key, setting.default]],
  );
  const settings = { ...Object.fromEntries(defaults), ...change.settings };
  const lifetimeSeconds = change.lifetimeSeconds ?? provider.defaults.lifetimeSeconds;
  const identity = { provider: providerName, baseUrl, secret: 'a-secret', settings };
  return {
    ...identity,
    name: 'desk',
    allowPlainHttp: false,
    subjects: { system: true, staff: true },
    minTtlSeconds: 60,
    refreshAfter: provider.defaults.refreshAfter,
    idleSeconds: 3600,
    maxTokenAgeSeconds: change.maxTokenAgeSeconds ?? 86_400,
    memorySeconds: 30,
    timeoutSeconds: 6,
    renewalCooldownSeconds: 60,
    tokensOverlap: true,
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    placement: provider.placement,
    isolation: 'desk',
    fingerprint: fingerprintOf(identity),
  };
}

/** The engine over real HTTP, with every request that it sent. */
export function realUpstream(providerNamed?: (name: string) => Provider | undefined): {
  readonly upstream: Upstream;
  readonly sent: readonly HttpRequest[];
} {
  const http = createUpstreamHttp();
  const sent: HttpRequest[] = [];
  const recording: Http = {
    send(request) {
      sent.push(request);
      return http.send(request);
    },
  };
  const clock = { now: () => Date.now() };
  const parts = { http: recording, clock, ...(providerNamed === undefined ? {} : { providerNamed }) };
  return { upstream: createUpstream(parts), sent };
}

/** The engine over a network that gives one answer to everything, at one time. */
export function answeredBy(
  answer: { readonly status?: number; readonly headers?: Record<string, string[]>; readonly body?: string | Buffer },
  now = 1_800_000_000_000,
): { readonly upstream: Upstream; readonly sent: readonly HttpRequest[] } {
  const sent: HttpRequest[] = [];
  const response: HttpResponse = {
    kind: 'response',
    status: answer.status ?? 200,
    headers: answer.headers ?? {},
    body: Buffer.from(answer.body ?? ''),
  };
  const http: Http = {
    async send(request) {
      sent.push(request);
      return response;
    },
  };
  return { upstream: createUpstream({ http, clock: { now: () => now } }), sent };
}

/** A secret's JSON. */
export function secretOf(value: unknown): Secret<string> {
  return new Secret(JSON.stringify(value));
}

/** The failure that an attempt came to; throws where it brought a token. */
export function failureIn(outcome: UpstreamOutcome): UpstreamFailure {
  if (outcome.kind !== 'failure') throw new Error('expected a failure, got a token');
  return outcome;
}

/** The token that an attempt brought; throws where it failed. */
export function tokenIn(outcome: UpstreamOutcome): Extract<UpstreamOutcome, { kind: 'token' }> {
  if (outcome.kind !== 'token') throw new Error(`expected a token, got ${outcome.code}: ${outcome.detail}`);
  return outcome;
}
