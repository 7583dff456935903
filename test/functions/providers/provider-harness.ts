import type { Upstream, UpstreamFailure, UpstreamOutcome } from '../../../functions/core/mint/upstream.ts';
import { type Connection, fingerprintOf } from '../../../functions/core/slot/connection.ts';
import { Secret } from '../../../functions/core/words/secret.ts';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import type { Http, HttpFailure, HttpRequest, HttpResponse } from '../../../functions/http/port.ts';
import { createUpstream } from '../../../functions/providers/engine/engine.ts';
import type { Provider } from '../../../functions/providers/provider.ts';
import { providerOf } from '../../../functions/providers/registry.ts';

/** A connection of a provider with its defaults, as configuration would make it. */
export function connectionOf(
  providerName: string,
  baseUrl: string,
  change: { readonly settings?: Record<string, string>; readonly provider?: Provider } & Partial<
    Pick<Connection, 'lifetimeSeconds' | 'maxTokenAgeSeconds' | 'caCertificate'>
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
    refreshAfter: provider.defaults.refreshAfter ?? 0.75,
    idleSeconds: 3600,
    maxTokenAgeSeconds: change.maxTokenAgeSeconds ?? 86_400,
    memorySeconds: 30,
    timeoutSeconds: 6,
    renewalCooldownSeconds: 60,
    tokensOverlap: true,
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    ...(change.caCertificate === undefined ? {} : { caCertificate: change.caCertificate }),
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

/** What a network that is not there answers. */
export interface Answer {
  readonly status?: number;
  readonly headers?: HttpResponse['headers'];
  readonly body?: string | Buffer;
}

/** A network that gives one answer, or one failure, to everything. */
export function answering(answer: Answer | HttpFailure): {
  readonly http: Http;
  readonly sent: readonly HttpRequest[];
} {
  const sent: HttpRequest[] = [];
  const outcome: HttpResponse | HttpFailure =
    'reason' in answer
      ? answer
      : {
          kind: 'response',
          status: answer.status ?? 200,
          headers: answer.headers ?? {},
          body: Buffer.from(answer.body ?? ''),
        };
  const http: Http = {
    async send(request) {
      sent.push(request);
      return outcome;
    },
  };
  return { http, sent };
}

/** The engine over such a network, at one time; `provider` in place of the table where it is given. */
export function answeredBy(
  answer: Answer | HttpFailure,
  now = 1_800_000_000_000,
  provider?: Provider,
): { readonly upstream: Upstream; readonly sent: readonly HttpRequest[] } {
  const { http, sent } = answering(answer);
  const table = provider === undefined ? {} : { providerNamed: () => provider };
  return { upstream: createUpstream({ http, clock: { now: () => now }, ...table }), sent };
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
