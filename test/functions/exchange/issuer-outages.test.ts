import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { DemoIssuer } from '../../../local/demo/issuer.ts';
import { AUDIENCE, deployer, type ExchangeHarness, gistOf, startExchangeHarness } from './exchange-harness.ts';

let broker: ExchangeHarness;
beforeEach(async () => {
  broker = await startExchangeHarness();
});
afterEach(() => broker.close());

const exchange = async (): Promise<string> => gistOf(await broker.exchange(await broker.issuer.sign(deployer)));

it('takes a token under a rotated key at once, and none under the old one', async () => {
  const old = await broker.issuer.sign(deployer);
  expect(gistOf(await broker.exchange(old))).toBe('200 system');
  await broker.issuer.rotate();

  expect(await exchange()).toBe('200 system');
  // The keys were sought a moment ago, and the issuer may have made this one since.
  expect(gistOf(await broker.exchange(old))).toBe('503 temporarily_unavailable');
});

it('asks the issuer once for a hundred tokens, and once more for a hundred unknown keys', async () => {
  await Promise.all(Array.from({ length: 100 }, exchange));
  expect(broker.issuer.requests).toEqual(['/.well-known/openid-configuration', '/keys']);

  const unknown = await Promise.all(Array.from({ length: 100 }, () => broker.issuer.sign(deployer, 'unknown-key')));
  const gists = await Promise.all(unknown.map(async (token) => gistOf(await broker.exchange(token))));
  // For those that come after the keys were fetched there is no saying so soon.
  expect(gists).toContain('400 invalid_request');
  expect(new Set([...gists, '503 temporarily_unavailable'])).toEqual(
    new Set(['400 invalid_request', '503 temporarily_unavailable']),
  );
  expect(broker.issuer.requests).toHaveLength(4);
});

it('goes on with the last good keys while the issuer is down', async () => {
  expect(await exchange()).toBe('200 system');
  broker.issuer.setKnobs({ keys: 'down' });

  // The unknown key has the issuer asked again, in vain.
  const unknown = await broker.exchange(await broker.issuer.sign(deployer, 'unknown-key'));
  expect(gistOf(unknown)).toBe('503 temporarily_unavailable');
  expect(await exchange()).toBe('200 system');
});

it.each(['down', 'reset', 'html', 'redirect', 'oversized', 'no-keys', 'other-issuer'] as const)(
  'answers 503 with Retry-After if the keys were never fetched: %s',
  async (keys) => {
    broker.issuer.setKnobs({ keys });
    const answer = await broker.exchange(await broker.issuer.sign(deployer));

    expect(gistOf(answer)).toBe('503 temporarily_unavailable');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(broker.issuer.requests).not.toContain('/elsewhere');
    expect(broker.helpmaster.ledger().logins).toEqual([]);
  },
);

it('does not wait for an issuer that hangs', async () => {
  broker.issuer.setKnobs({ delayMs: 60_000 });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const first = exchange();
  await expect.poll(() => broker.issuer.requests.length).toBe(1);
  vi.advanceTimersByTime(3_000);

  expect(await first).toBe('503 temporarily_unavailable');
  expect(await exchange()).toBe('503 temporarily_unavailable');
  expect(broker.issuer.requests).toHaveLength(1);
});

/** Two rules for one issuer: keys found by discovery, and keys of a mirror. */
const twoPlaces = ({ url }: DemoIssuer, { jwksUri }: DemoIssuer) => [
  { issuer: url, audience: AUDIENCE, subject: deployer.sub, connections: ['helpdesk'] },
  { issuer: url, jwksUri, audience: AUDIENCE, subject: 'mirror', connections: ['helpdesk'] },
];

it('asks every place of keys that a rule names, and trusts none for what another rule says', async () => {
  const rules = await startExchangeHarness({ trust: twoPlaces });
  const { issuer, secondIssuer, exchange: trade } = rules;
  const iss = issuer.url;
  try {
    const mirrored = await secondIssuer.sign({ ...deployer, iss, sub: 'mirror' });
    expect(gistOf(await trade(mirrored))).toBe('200 system');
    expect(gistOf(await trade(await issuer.sign(deployer)))).toBe('200 system');
    // Each by the keys of the other's rule.
    expect(gistOf(await trade(await secondIssuer.sign({ ...deployer, iss })))).toBe('400 invalid_target');
    // The mirror was asked for the key a moment ago.
    const unmirrored = await issuer.sign({ ...deployer, sub: 'mirror' });
    expect(gistOf(await trade(unmirrored))).toBe('503 temporarily_unavailable');
  } finally {
    await rules.close();
  }
});

it('refuses no token while a key set that might have its key is down', async () => {
  const rules = await startExchangeHarness({ trust: twoPlaces });
  const { issuer, secondIssuer, exchange: trade } = rules;
  try {
    secondIssuer.setKnobs({ keys: 'down' });
    const mirrored = await secondIssuer.sign({ ...deployer, iss: issuer.url, sub: 'mirror' });
    expect(gistOf(await trade(mirrored))).toBe('503 temporarily_unavailable');
    expect(gistOf(await trade(await issuer.sign(deployer)))).toBe('200 system');
  } finally {
    await rules.close();
  }
});
