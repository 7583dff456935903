import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConnections } from '../../functions/configuration/check.ts';
import { ConfigurationError } from '../../functions/configuration/errors.ts';
import {
  AUDIENCE,
  deployer,
  type ExchangeHarness,
  gistOf,
  startExchangeHarness,
} from '../functions/exchange/exchange-harness.ts';

// The attacker has no AWS identity, and wants a token from the exchange: with a workload of its own at an issuer that
// the broker trusts, with a JWT that was made for something else, or with one that it found.
const connections = { helpdesk: { provider: 'helpmaster', baseUrl: 'https://help.example.com' } };
const GITHUB = 'https://token.actions.githubusercontent.com';

/** Declares one rule: what it says of it, or nothing where it is taken in silence. */
function declare(rule: Readonly<Record<string, unknown>>): string {
  try {
    const trust = [{ issuer: GITHUB, audience: 'broker', connections: ['helpdesk'], ...rule }];
    return resolveConnections({ connections, trust }).warnings.join('\n');
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message;
  }
}

const now = Math.floor(Date.now() / 1000);
const claimed = (claims: Readonly<Record<string, unknown>> = {}) => ({
  ...{ iss: forger.url, aud: AUDIENCE, sub: deployer.sub, iat: now, exp: now + 300, ...claims },
});

/** An issuer that signs whatever the attacker has it sign. */
let forger: {
  readonly url: string;
  sign(payload: unknown, header?: Readonly<Record<string, string>>): Promise<string>;
  rotate(): Promise<void>;
  close(): void;
};

beforeAll(async () => {
  let pair = await generateKeyPair('ES256', { extractable: true });
  const server = createServer(async (request, response) => {
    const keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'ES256' }];
    const isKeys = request.url === '/keys';
    response.end(JSON.stringify(isKeys ? { keys } : { issuer: forger.url, jwks_uri: `${forger.url}/keys` }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  forger = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sign: (payload, header = {}) =>
      new CompactSign(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
        .setProtectedHeader({ alg: 'ES256', kid: 'k', ...header })
        .sign(pair.privateKey),
    async rotate() {
      pair = await generateKeyPair('ES256', { extractable: true });
    },
    close: () => server.close(),
  };
});
afterAll(() => forger.close());

async function withBroker(
  rule: Readonly<Record<string, unknown>>,
  attack: (broker: ExchangeHarness) => Promise<void>,
): Promise<void> {
  const main = { issuer: forger.url, audience: AUDIENCE, connections: ['helpdesk'] };
  const broker = await startExchangeHarness({ trust: () => [{ ...main, ...rule }] });
  try {
    await attack(broker);
  } finally {
    await broker.close();
  }
}

describe('a stranger at an issuer that all share', () => {
  it.each([
    { subjectPattern: 'repo:.+' },
    { subjectPattern: 'repo:acme.*' },
    { subject: 'repo:**' },
    { subject: 'repo:acme**', claims: { repository_owner_id: '1' } },
    { subject: 'repo:acme*/x:ref:refs/heads/main', claims: { repository_owner_id: '1' } },
    { subject: 'repo:acme/x:ref:refs/heads/main', claims: { repository_owner_id: '' } },
    { issuer: 'https://token.actions.githubusercontent.com.', subject: 'repo:acme/x:ref:refs/heads/main' },
    { issuer: 'https://oidc.vercel.com', subject: 'owner:*:project:x:environment:production' },
    // Whoever registers the name after its owner gave it up.
    { subject: 'repo:acme/x:ref:refs/heads/main', claims: { repository_owner: 'acme' } },
  ])('is not let in by the rule %j in silence', (rule) => {
    expect(declare(rule)).not.toBe('');
  });

  it('stops nobody: no rule makes the broker think for seconds', async () => {
    const evil = 'a'.repeat(28);
    const startedAt = performance.now();
    if (declare({ subjectPattern: '(a+)+b' }) === '') {
      await withBroker({ subjectPattern: '(a+)+b' }, async ({ exchange }) => {
        await exchange(await forger.sign(claimed({ sub: evil })));
      });
    }
    await withBroker({ subject: `${'*a'.repeat(50)}b` }, async ({ exchange }) => {
      await exchange(await forger.sign(claimed({ sub: 'a'.repeat(1_000) })));
    });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('a JWT that was made for something else, or long ago', () => {
  it.each<[string, Record<string, unknown>, Record<string, string>]>([
    ['a logout token', {}, { typ: 'logout+jwt' }],
    ['a logout token of another spelling', {}, { typ: 'application/LOGOUT+JWT' }],
    ['a security event', {}, { typ: 'secevent+jwt' }],
    ['a proof of possession', {}, { typ: 'dpop+jwt' }],
    ['an event without a type', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, {}],
    ['one that is two hours old and lasts for years', { iat: now - 7_200, exp: now + 99_999_999 }, {}],
    ['one without a time of issue that lasts for years', { iat: undefined, exp: now + 99_999_999 }, {}],
  ])('gets nothing: %s', async (_, claims, header) => {
    await withBroker({ subject: deployer.sub }, async ({ exchange, helpmaster }) => {
      const answer = await exchange(await forger.sign(claimed(claims), header));
      expect(answer.status).toBe(400);
      expect(helpmaster.ledger().logins).toEqual([]);
    });
  });

  it('gets nothing with a time that is no number: 1e400', async () => {
    await withBroker({ subject: deployer.sub }, async ({ exchange }) => {
      const token = await forger.sign(JSON.stringify(claimed()).replace(/"exp":\d+/, '"exp":1e400'));
      expect(gistOf(await exchange(token))).toBe('400 invalid_request');
    });
  });

  it('is taken for what it is meant: an identity, by any of its types', async () => {
    await withBroker({ subject: deployer.sub }, async ({ exchange }) => {
      for (const header of [{}, { typ: 'JWT' }, { typ: 'at+jwt' }, { typ: 'application/at+jwt' }, { typ: 'JOSE' }]) {
        expect(gistOf(await exchange(await forger.sign(claimed(), header as Record<string, string>)))).toBe(
          '200 system',
        );
      }
    });
  });
});

it('a JWT that brings its own keys, or another JWT within, gets nothing, and nobody is asked for them', async () => {
  await withBroker({ subject: deployer.sub }, async ({ exchange, helpmaster }) => {
    const own = await generateKeyPair('ES256', { extractable: true });
    let asked = 0;
    const keys = createServer((_request, response) => {
      asked += 1;
      response.end('{"keys":[]}');
    }).listen(0, '127.0.0.1');
    await once(keys, 'listening');
    const uri = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`;
    const forge = (header: Record<string, unknown>) =>
      new CompactSign(Buffer.from(JSON.stringify(claimed())))
        .setProtectedHeader({ alg: 'ES256', kid: 'own', ...header })
        .sign(own.privateKey);
    const jwk = { ...(await exportJWK(own.publicKey)), kid: 'own' };
    const forged = await Promise.all([{ jku: uri }, { x5u: uri }, { jwk }, { jku: uri, kid: 'k' }].map(forge));
    const nested = await forger.sign(await forger.sign(claimed()), { cty: 'JWT' });
    for (const token of [...forged, nested]) expect((await exchange(token)).status).toBeGreaterThanOrEqual(400);
    keys.close();
    expect([asked, helpmaster.ledger().logins]).toEqual([0, []]);
  });
});

it('a JWT that was found gets nothing where each counts once', async () => {
  await withBroker({ subject: deployer.sub, once: true }, async ({ exchange, logged }) => {
    const token = await forger.sign(claimed({ jti: 'one' }));
    const gists = await Promise.all([1, 2, 3, 4].map(async () => gistOf(await exchange(token))));
    expect(gists.toSorted()).toEqual(['200 system', ...Array<string>(3).fill('400 invalid_request')]);
    expect(gistOf(await exchange(await forger.sign(claimed({ jti: 'two' }))))).toBe('200 system');
    expect(gistOf(await exchange(await forger.sign(claimed())))).toBe('400 invalid_target');
    const endless = await forger.sign(claimed({ jti: 'three', exp: 1e308 }));
    expect(gistOf(await exchange(endless))).toBe('200 system');
    expect(gistOf(await exchange(endless))).toBe('400 invalid_request');
    expect(logged()).toContain('It was exchanged before');
  });
});

it('an outsider cannot have those kept out who hold a key that the issuer has just made', async () => {
  await withBroker({ subject: deployer.sub }, async ({ exchange }) => {
    expect(gistOf(await exchange(await forger.sign(claimed())))).toBe('200 system');
    await forger.rotate();
    // The same key id stands for another key now.
    expect(gistOf(await exchange(await forger.sign(claimed())))).toBe('200 system');
    await forger.rotate();
    const answer = await exchange(await forger.sign(claimed()));
    expect(gistOf(answer)).toBe('503 temporarily_unavailable');
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(30);
  });
});

it('an outsider learns nothing of why, and the log names who knocked once that is sure', async () => {
  await withBroker({ subject: deployer.sub }, async ({ exchange, logged }) => {
    const texts = new Set<unknown>();
    const forged = claimed({ sub: 'forged' });
    for (const token of [
      await forger.sign({ ...forged, exp: now - 60 }),
      await forger.sign({ ...forged, exp: undefined }),
      await forger.sign({ ...forged, iss: 'https://x.example' }),
      await forger.sign(forged, { typ: 'logout+jwt' }),
      'no JWT',
    ]) {
      texts.add((await exchange(token)).json?.['error_description']);
    }
    expect([...texts]).toEqual(['The subject token was not accepted.']);
    expect(logged()).not.toContain('forged');

    await exchange(await forger.sign(claimed({ sub: 'somebody' })));
    expect(logged()).toMatch(/"issuer":"http[^"]+","subject":"somebody"/);
    expect(logged()).toContain('The subject token has expired.');
  });
});
