import { resolveConnections } from '../../functions/configuration/check.ts';
import { ConfigurationError } from '../../functions/configuration/errors.ts';
import type { IssuedToken, UpstreamOutcome } from '../../functions/core/mint/upstream.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { timesOf } from '../../functions/core/slot/lifetime.ts';
import { place } from '../../functions/core/slot/placement.ts';
import type { Provider } from '../../functions/core/slot/provider.ts';
import { slotOf } from '../../functions/core/slot/slot.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import { createUpstream } from '../../functions/providers/engine/engine.ts';
import { createForwarder } from '../../functions/providers/engine/forward.ts';
import { isProxyOnly } from '../../functions/providers/names.ts';
import { NOW, readFacts } from './facts.ts';
import { createFakeUpstream } from './fake-upstream.ts';
import { type Keys, type Values, valuesFor } from './given.ts';
import { type Need, optionalNames } from './need.ts';
import { named } from './parts.ts';
import { NotCovered, nameIn, translate } from './translate.ts';

const clock = { now: () => NOW, monotonic: () => 0 };

/** A need's provider, or why it has none that does as the need says. */
export async function cover(
  need: Need,
  keys: Keys,
): Promise<{ readonly provider: Provider } | { readonly why: string }> {
  try {
    const provider = translate(need);
    const [why] = await differencesOf(need, provider, keys);
    return why === undefined ? { provider } : { why };
  } catch (error) {
    if (error instanceof NotCovered) return { why: error.message };
    if (error instanceof ConfigurationError) return { why: error.message.split('\n')[1]?.trim() ?? '' };
    throw error;
  }
}

/**
 * Declares a provider as an operator would, runs it, or `spoiled` in its place, in the engine against an upstream that
 * does as the need says, with every value and without those that may be absent; every difference of the first run that
 * has one.
 */
export async function differencesOf(
  need: Need,
  provider: Provider,
  keys: Keys,
  spoiled = provider,
): Promise<readonly string[]> {
  for (const isFull of optionalNames(need).length > 0 ? [true, false] : [true]) {
    const differences = await run(need, valuesFor(need, keys, isFull), keys, { provider, spoiled });
    if (differences.length > 0) return differences;
  }
  return [];
}

async function run(
  need: Need,
  values: Values,
  keys: Keys,
  { provider, spoiled }: { provider: Provider; spoiled: Provider },
) {
  const facts = readFacts(need, values, keys);
  const { http, uuid, expect, compare, differences } = createFakeUpstream(need, facts.home, values, keys);
  const declared = declare(provider, facts.home, valuesBy('c:', values));
  const connection = { ...declared, provider: { ...spoiled, name: 'needed' }, proxyOnly: isProxyOnly(spoiled) };
  const secret = new Secret(JSON.stringify(valuesBy('s:', values)));
  const attempt = { connection, subject: 'system', timeoutMs: 1000 };
  const upstream = createUpstream({ http, clock, random: { uuid } });
  const others: string[] = [];

  expect('the login', facts.login());
  const keep = async () => {};
  const login = await check(await upstream.login({ ...attempt, secret, keep }), facts.token);
  if (login === undefined) return [...differences(), ...others];
  const { value: token, values: kept = {}, closed } = login;

  if (connection.proxyOnly !== facts.isForProxy) others.push(`for the proxy alone: ${connection.proxyOnly}`);
  const { baseUrl, headers, query } = place(attempt, token.reveal(), kept);
  const handedOut = { url: baseUrl.replace(/\/$/, ''), ...named('header', headers), ...named('query', query) };
  if (!facts.isForProxy) await compare('the hand-out', facts.placed(), handedOut);

  const { url, ...carried } = facts.placed();
  const call = { method: 'GET', url: `${url}/v1/things`, 'query page': '2', ...carried };
  expect('the API call', [[call, { body: '{}' }]]);
  const request = { method: 'GET', path: '/v1/things', query: 'page=2', headers: {} };
  const answer = await createForwarder({ http, clock }).forward({ ...attempt, token, values: kept, closed, request });
  if (answer.kind !== 'answer') others.push(answer.detail);

  const { renewal } = upstream.waysOf(connection);
  if ((renewal !== undefined) !== need.refresh) others.push(`it refreshes: ${renewal !== undefined}`);
  if (renewal !== undefined && need.refresh) {
    const next = readFacts(need, values, keys, 2);
    expect('the refresh', next.refresh());
    const given = renewal.needsSecret ? secret : undefined;
    await check(await upstream.renew({ ...attempt, token, values: kept, closed, secret: given }), next.token);
  }
  return [...differences(), ...others];

  async function check(outcome: UpstreamOutcome, wanted: string): Promise<IssuedToken | undefined> {
    if (outcome.kind === 'failure') {
      others.push(outcome.detail);
      return undefined;
    }
    await compare('the token', { text: wanted }, { text: outcome.value.reveal() });
    const { issuedAt, expiresAt } = timesOf(outcome, connection, slotOf(connection, 'system'));
    const seconds = (expiresAt - issuedAt) / 1000;
    if (Math.abs(seconds - facts.lifeSeconds) > 1)
      others.push(`the token lives ${seconds} s, not ${facts.lifeSeconds}`);
    return outcome;
  }
}

function declare(provider: Provider, baseUrl: string, values: Readonly<Record<string, string>>): Connection {
  const settings = Object.entries(values).filter(([name]) => Object.hasOwn(provider.settings ?? {}, name));
  const it = { provider: 'needed', baseUrl, proxy: {}, ...Object.fromEntries(settings) };
  const { connections } = resolveConnections({ providers: { needed: provider }, connections: { it } }, {});
  if (connections['it'] === undefined) throw new Error('a resolved declaration has its connections');
  return connections['it'];
}

function valuesBy(kind: 's:' | 'c:', values: Values): Record<string, string> {
  const entries = [...values].filter(([name]) => name.startsWith(kind));
  return Object.fromEntries(entries.map(([name, value]) => [nameIn(name.slice(kind.length)), value]));
}
