import { systemClock, systemRandom } from '../../../functions/adapters/system.ts';
import type { Upstream, UpstreamFailure, UpstreamOutcome } from '../../../functions/core/mint/upstream.ts';
import { type Connection, fingerprintOf } from '../../../functions/core/slot/connection.ts';
import { fillText } from '../../../functions/core/slot/text.ts';
import { Secret } from '../../../functions/core/words/secret.ts';
import { createUpstreamHttp } from '../../../functions/http/client.ts';
import type { Http, HttpFailure, HttpRequest, HttpResponse } from '../../../functions/http/port.ts';
import { createUpstream } from '../../../functions/providers/engine/engine.ts';
import { isProxyOnly } from '../../../functions/providers/names.ts';
import { body, type Provider } from '../../../functions/providers/provider.ts';
import { providerOf } from '../../../functions/providers/registry.ts';

/** A provider of one request, whatever a test is not about. */
export function providerWith(change: Partial<Provider> = {}): Provider {
  return {
    secretFields: { id: {}, key: {} },
    logins: { system: [{ url: '/login', reads: { token: body('token') } }] },
    placement: { headers: { authorization: 'Bearer {token}' } },
    ...change,
  };
}

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
  const settings: Record<string, string> = { ...change.settings };
  for (const [key, { default: text }] of Object.entries(provider.settings ?? {})) {
    const filled = text === undefined ? undefined : fillText(text, { baseUrl, ...settings });
    if (filled !== undefined) settings[key] ??= filled;
  }
  const lifetimeSeconds = change.lifetimeSeconds ?? provider.defaults?.lifetimeSeconds;
  const identity = { provider: { ...provider, name: providerName }, baseUrl, secret: 'a-secret', settings };
  return {
    ...identity,
    name: 'desk',
    allowPlainHttp: false,
    subjects: { system: true, users: true },
    minTtlSeconds: 60,
    refreshAfter: provider.defaults?.refreshAfter ?? 0.8,
    idleSeconds: 3600,
    maxTokenAgeSeconds: change.maxTokenAgeSeconds ?? 86_400,
    memorySeconds: 30,
    timeoutSeconds: 6,
    renewalCooldownSeconds: 60,
    tokensOverlap: true,
    proxyOnly: isProxyOnly(provider),
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    ...(change.caCertificate === undefined ? {} : { caCertificate: change.caCertificate }),
    isolation: 'desk',
    fingerprint: fingerprintOf(identity),
  };
}

/** The engine over real HTTP, with every request that it sent. */
export function realUpstream(): {
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
  return { upstream: createUpstream({ http: recording, clock: systemClock, random: systemRandom }), sent };
}

/** An answer of the fake network. */
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

/** The engine over such a network, at one time. */
export function answeredBy(
  answer: Answer | HttpFailure,
  now = 1_800_000_000_000,
): { readonly upstream: Upstream; readonly sent: readonly HttpRequest[] } {
  const { http, sent } = answering(answer);
  const clock = { now: () => now, monotonic: () => 0 };
  return { upstream: createUpstream({ http, clock, random: systemRandom }), sent };
}

/** The engine over a network that gives one answer after the other; each takes `takesMs` of a monotonic clock. */
export function answeredInTurn(
  answers: readonly (Answer | HttpFailure)[],
  { now = 1_800_000_000_000, takesMs = 0 } = {},
): { readonly upstream: Upstream; readonly sent: readonly HttpRequest[] } {
  const sent: HttpRequest[] = [];
  const clock = { now: () => now, monotonic: () => sent.length * takesMs };
  const http: Http = {
    async send(request) {
      const answer = answers[sent.length];
      sent.push(request);
      if (answer === undefined) throw new Error(`no answer to request ${sent.length}`);
      return answering(answer).http.send(request);
    },
  };
  return { upstream: createUpstream({ http, clock, random: systemRandom }), sent };
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
