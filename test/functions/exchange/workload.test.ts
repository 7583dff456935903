import { createLocalJWKSet, exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../functions/core/words/json.ts';
import { Secret } from '../../../functions/core/words/secret.ts';
import { ExchangeError } from '../../../functions/exchange/exchange-error.ts';
import { createWorkloadVerifier, readUnverifiedIssuer } from '../../../functions/exchange/workload.ts';

const ISSUER = 'https://issuer.example';
const NOW_SECONDS = 1_800_000_000;
const claims = { iss: ISSUER, sub: 'workload', aud: 'broker', exp: NOW_SECONDS + 300, iat: NOW_SECONDS };

async function publicKey({ publicKey: key }: GenerateKeyPairResult, more: JsonObject = {}): Promise<JsonObject> {
  const { kty = '', n, e, crv, x, y } = await exportJWK(key);
  return JSON.parse(JSON.stringify({ kty, n, e, crv, x, y, kid: 'k', ...more }));
}

function verify(token: string, ...keys: JsonObject[]) {
  const verifier = createWorkloadVerifier({
    keys: () => ({ find: createLocalJWKSet({ keys }), renew: async () => false }),
    clock: { now: () => NOW_SECONDS * 1000 },
  });
  return verifier(new Secret(token), { issuer: ISSUER });
}

/** Settles with the description of the refusal. */
async function refusalOf(verification: Promise<unknown>): Promise<string> {
  const outcome = await verification.catch((error: unknown) => error);
  return outcome instanceof ExchangeError
    ? `${outcome.error}: ${outcome.reason ?? outcome.detail}`
    : `no refusal: ${typeof outcome}`;
}

describe('the algorithm', () => {
  it.each(['RS256', 'RS512', 'PS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    '%s is taken',
    async (alg) => {
      const pair = await generateKeyPair(alg, { extractable: true });
      const token = await new SignJWT(claims).setProtectedHeader({ alg, kid: 'k' }).sign(pair.privateKey);

      expect(await verify(token, await publicKey(pair))).toMatchObject({ subject: 'workload', audiences: ['broker'] });
    },
  );

  it('HS256 is not, even where the issuer publishes the very secret', async () => {
    const secret = Buffer.alloc(32, 7);
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k' }).sign(secret);
    const published = { kty: 'oct', kid: 'k', k: secret.toString('base64url') };

    expect(await refusalOf(verify(token, published))).toMatch(/^invalid_request: .* is not signed with one of RS256/);
  });

  it('of a key that is published for another is not taken', async () => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(pair.privateKey);

    expect(await refusalOf(verify(token, await publicKey(pair, { alg: 'PS256' })))).toMatch(/does not publish/);
    expect(await refusalOf(verify(token, await publicKey(pair, { use: 'enc' })))).toMatch(/does not publish/);
  });
});

describe('time, with 5 s of skew either way', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['expired 4 s ago', { exp: NOW_SECONDS - 4 }, 'taken'],
    ['expired 5 s ago', { exp: NOW_SECONDS - 5 }, 'has expired'],
    ['valid in 5 s', { nbf: NOW_SECONDS + 5 }, 'taken'],
    ['valid in 6 s', { nbf: NOW_SECONDS + 6 }, 'has no usable claim nbf'],
    ['issued in 5 s', { iat: NOW_SECONDS + 5 }, 'taken'],
    ['issued in 6 s', { iat: NOW_SECONDS + 6 }, 'says that it was issued in the future'],
  ])('%s', async (_, change, outcome) => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const token = await new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .sign(pair.privateKey);
    const verification = verify(token, await publicKey(pair));

    if (outcome === 'taken') expect(await verification).toMatchObject({ subject: 'workload' });
    else expect(await refusalOf(verification)).toContain(outcome);
  });
});

describe('keys', () => {
  it('without a kid in the token, and several that fit: it says what is missing', async () => {
    const pairs = await Promise.all([1, 2].map(() => generateKeyPair('ES256', { extractable: true })));
    const [first] = pairs;
    if (first === undefined) throw new Error('two pairs were made');
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(first.privateKey);
    const published = await Promise.all(pairs.map((pair) => publicKey(pair)));

    expect(await refusalOf(verify(token, ...published))).toMatch(/names no key \(kid\), and its issuer has several/);
  });

  it('that are garbage refuse the token, and nothing worse', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(pair.privateKey);

    for (const key of [{}, { kty: 'EC', kid: 'k' }, { kty: 'EC', kid: 'k', crv: 'P-256', x: '', y: '' }]) {
      expect(await refusalOf(verify(token, key))).toMatch(/^invalid_request: /);
    }
  });
});

it('asks for no key of a token that is not signed under an asymmetric algorithm', async () => {
  let asked = 0;
  const ask = async (): Promise<never> => {
    asked += 1;
    throw new Error('nothing was to be asked for');
  };
  const keys = () => ({ find: ask, renew: ask });
  const verifier = createWorkloadVerifier({ keys, clock: { now: () => NOW_SECONDS * 1000 } });
  const hmac = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 7));

  for (const token of [hmac, new UnsecuredJWT(claims).encode()]) {
    expect(await refusalOf(verifier(new Secret(token), { issuer: ISSUER }))).toMatch(/^invalid_request/);
  }
  expect(asked).toBe(0);
});

it('reads the issuer of an unverified token', async () => {
  const { privateKey } = await generateKeyPair('ES256');
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey);

  expect(readUnverifiedIssuer(new Secret(token))).toBe(ISSUER);
});

it('takes no token of another issuer, though the key is right', async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const token = await new SignJWT({ ...claims, iss: 'https://other.example' })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(pair.privateKey);

  expect(await refusalOf(verify(token, await publicKey(pair)))).toMatch(/has no usable claim iss/);
});
