import { createHash, createHmac, createPrivateKey, X509Certificate } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Derived, JwtTemplate, SigningAlgorithm } from '../../../../functions/core/slot/provider.ts';
import type { Values } from '../../../../functions/core/slot/text.ts';
import { checkCertificate, derive } from '../../../../functions/providers/engine/derive.ts';
import { KeyProblem } from '../../../../functions/providers/engine/key-problem.ts';
import { body } from '../../../../functions/providers/provider.ts';
import { selfSigned } from '../../http/raw-server.ts';
import { answeredBy, connectionOf, failureIn, providerWith, secretOf } from '../provider-harness.ts';
import { ecKey, ed25519Key, rsaKey, type TestKey } from '../test-keys.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const UUID = '01234567-89ab-4def-8123-456789abcdef';
const moment = { now: NOW, uuid: () => UUID };

const rsa = rsaKey();
const p256 = ecKey('P-256');
const p384 = ecKey('P-384');
const p521 = ecKey('P-521');
const ed25519 = ed25519Key();
const certified = selfSigned('client.example');

const signers: readonly (readonly [SigningAlgorithm, TestKey])[] = [
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', p256],
  ['ES384', p384],
  ['ES512', p521],
  ['EdDSA', ed25519],
];

function jwtBy(alg: SigningAlgorithm, change: Partial<JwtTemplate> = {}): Derived {
  return { jwt: { alg, key: '{key}', claims: { iss: '{id}', scope: '{scope}' }, lifeSeconds: 300, ...change } };
}

function sign(alg: SigningAlgorithm, key: string, change: Partial<JwtTemplate> = {}, values: Values = {}) {
  return derive(jwtBy(alg, change), { key, id: 'me', ...values }, moment);
}

async function verified(token: string | undefined, key: Parameters<typeof jwtVerify>[1]) {
  return jwtVerify(token ?? '', key, { currentDate: new Date(NOW) });
}

describe('a signed JWT (RFC 7519)', () => {
  it.each(signers)('by %s is verified with the public key', async (alg, { pkcs8, publicKey }) => {
    const { payload, protectedHeader } = await verified(await sign(alg, pkcs8), publicKey);
    const issuedAt = Math.floor(NOW / 1000);
    expect(payload).toEqual({ iss: 'me', iat: issuedAt, exp: issuedAt + 300 });
    expect(protectedHeader).toEqual({ alg });
  });

  it.each(['HS256', 'HS384', 'HS512'] as const)('by %s is verified with the shared secret', async (alg) => {
    const { payload } = await verified(await sign(alg, 's€cret'), Buffer.from('s€cret', 'utf8'));
    expect(payload.iss).toBe('me');
  });

  it.each([
    ['hex', '00FFa1', Buffer.from('00ffa1', 'hex')],
    ['base64', 'AP+h', Buffer.from('00ffa1', 'hex')],
    ['base64', 'AP-h', Buffer.from('00ffa1', 'hex')],
    ['utf8', '00ffa1', Buffer.from('00ffa1')],
  ] as const)('takes a shared secret in %s', async (keyAs, written, bytes) => {
    await verified(await sign('HS256', written, { keyAs }), bytes);
  });

  it.each([
    ['PKCS #1', rsa.older, 'RS256', rsa],
    ['SEC 1', p256.older, 'ES256', p256],
    ['SEC 1', p521.older, 'ES512', p521],
    ['PKCS #8', ed25519.pkcs8, 'EdDSA', ed25519],
  ] as const)('takes a key as %s', async (_, pem, alg, { publicKey }) => {
    await verified(await sign(alg, pem), publicKey);
  });

  it('has its claims and header filled in; what is absent is left out', async () => {
    const change = {
      header: { typ: 'JWT', kid: '{keyId}', 'x5t#S256': '{print}' },
      claims: { iss: '{id}', sub: '{subject}', iat: { number: '{issued}' }, nested: ['{scope}', '{id}'] },
    };
    const { payload, protectedHeader } = await verified(
      await sign('ES256', p256.pkcs8, change, { keyId: 'k1', issued: '1767322985' }),
      p256.publicKey,
    );
    expect(protectedHeader).toEqual({ typ: 'JWT', kid: 'k1', alg: 'ES256' });
    expect(payload).toEqual({ iss: 'me', iat: 1_767_322_985, exp: Math.floor(NOW / 1000) + 300, nested: ['me'] });
  });

  it('never has another algorithm than the provider’s', async () => {
    const token = await sign('ES256', p256.pkcs8, { header: { alg: 'none' } });
    expect(decodeProtectedHeader(token ?? '').alg).toBe('ES256');
  });

  it('is absent where its key is', async () => {
    expect(await derive(jwtBy('ES256'), { id: 'me' }, moment)).toBeUndefined();
  });
});

describe('a key that cannot be used', () => {
  const encrypted = createPrivateKey(rsa.pkcs8)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
  const encryptedOlder = createPrivateKey(rsa.pkcs8)
    .export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
  const spoiled = rsa.pkcs8.replace(/\n.{60}/, `\n${'A'.repeat(60)}`);

  const faults: readonly [string, SigningAlgorithm, string, string][] = [
    ['an EC key for RS256', 'RS256', p256.pkcs8, 'does not fit RS256, which takes an RSA key'],
    ['an Ed25519 key for PS384', 'PS384', ed25519.pkcs8, 'does not fit PS384, which takes an RSA key'],
    ['an RSA key for ES256', 'ES256', rsa.pkcs8, 'does not fit ES256, which takes an EC key on the curve P-256'],
    ['a key on another curve', 'ES256', p384.pkcs8, 'does not fit ES256, which takes an EC key on the curve P-256'],
    ['a key on P-256 for ES384', 'ES384', p256.pkcs8, 'takes an EC key on the curve P-384'],
    ['a key on P-384 for ES512', 'ES512', p384.pkcs8, 'takes an EC key on the curve P-521'],
    ['an EC key for EdDSA', 'EdDSA', p256.pkcs8, 'takes an Ed25519 key'],
    ['an RSA key of 1,024 bits', 'RS256', rsaKey(1024).pkcs8, 'an RSA key of less than 2,048 bits'],
    ['an encrypted key', 'RS256', encrypted, 'is encrypted: put it there without a passphrase'],
    ['an encrypted key in the older form', 'RS256', encryptedOlder, 'is encrypted: put it there without a passphrase'],
    ['a key with altered bytes', 'RS256', spoiled, 'has no private key in PEM'],
    ['a certificate', 'ES256', certified.cert, 'has no private key in PEM'],
    ['no PEM', 'RS256', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 'has no private key in PEM'],
  ];

  it.each(faults)('because it is %s is told by the field, and nothing of it is quoted', async (_, alg, key, why) => {
    const error = await sign(alg, key).catch((thrown: unknown) => thrown);
    if (!(error instanceof KeyProblem)) throw new Error('expected a KeyProblem');
    expect(error.problem).toContain('`key`');
    expect(error.problem).toContain(why);
    const lines = key.split('\n').filter((line) => line.length > 8);
    for (const line of lines) expect(`${error.stack}${error.problem}`).not.toContain(line);
    expect(error.cause).toBeUndefined();
  });

  it.each([
    ['hex', 'xyz'],
    ['hex', 'abc'],
    ['base64', 'a b!'],
    ['base64', 'A'],
    ['base64', '-'],
  ] as const)('because it is not written in %s is told too', async (keyAs, key) => {
    await expect(sign('HS256', key, { keyAs })).rejects.toMatchObject({
      problem: `has a key in \`key\` that is not written in ${keyAs}`,
    });
  });

  it.each(faults)('makes a login secret_invalid, and nothing is sent: %s', async (_, alg, key, why) => {
    const provider = providerWith({
      secretFields: { id: {}, key: { kind: 'pem' } },
      derived: { assertion: jwtBy(alg) },
      logins: { system: [{ url: '/token', form: { assertion: '{assertion}' }, reads: { token: body('token') } }] },
    });
    const { upstream, sent } = answeredBy({ body: '{"token":"t"}' });
    const connection = connectionOf('any', 'https://upstream.example', { provider });
    const attempt = { connection, subject: 'system', secret: secretOf({ id: 'me', key }), timeoutMs: 1 };
    const failed = failureIn(await upstream.login(attempt));
    expect(failed).toMatchObject({ code: 'secret_invalid', backOff: 'not_judged' });
    // A key that is no PEM at all is found when the secret is read.
    expect(failed.detail).toContain(key.startsWith('-----') ? why : 'has no PEM in `key`');
    expect(failed.detail).toContain('Nothing was sent');
    expect(sent).toEqual([]);
  });
});

describe('a client certificate', () => {
  const named = { cert: '{certificate}', key: '{privateKey}' };

  it('fits its own key, and is the first of a chain', () => {
    const other = selfSigned('authority.example');
    expect(() => checkCertificate(certified, named)).not.toThrow();
    expect(() => checkCertificate({ ...certified, cert: certified.cert + other.cert }, named)).not.toThrow();
    expect(() => checkCertificate({ ...certified, cert: other.cert + certified.cert }, named)).toThrow(KeyProblem);
  });

  it.each([
    ['another key', { ...certified, key: p256.pkcs8 }, '`certificate`'],
    ['no key', { ...certified, key: certified.cert }, 'has no private key in PEM in `privateKey`'],
    ['no certificate', { ...certified, cert: certified.key }, 'has no certificate in PEM in `certificate`'],
  ])('with %s is a problem that names the fields', (_, pair, why) => {
    expect(() => checkCertificate(pair, named)).toThrow(why);
  });
});

describe('a derived value', () => {
  const of = (derived: Derived, values: Values = {}) => derive(derived, values, moment);

  it('is a text, or its base64', async () => {
    expect(await of({ text: '{a}|{b}' }, { a: 'x', b: 'é' })).toBe('x|é');
    expect(await of({ base64: '{a}:{b}' }, { a: 'x', b: 'é' })).toBe(Buffer.from('x:é').toString('base64'));
  });

  it.each(['sha1', 'sha256', 'sha512'] as const)(
    'is a digest by %s, or with a key an HMAC (RFC 2104)',
    async (digest) => {
      const plain = await of({ digest, of: '{a}é', as: 'hex' }, { a: 'x' });
      expect(plain).toBe(createHash(digest).update('xé').digest('hex'));
      const keyed = await of({ digest, of: '{a}', key: '{k}', as: 'base64' }, { a: 'x', k: 'secret' });
      expect(keyed).toBe(createHmac(digest, 'secret').update('x').digest('base64'));
    },
  );

  it('is an HMAC as RFC 4231 §4.3 computes it', async () => {
    const values = { key: 'Jefe', data: 'what do ya want for nothing?' };
    expect(await of({ digest: 'sha256', of: '{data}', key: '{key}', as: 'hex' }, values)).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it.each(['base64', 'base64url', 'hex'] as const)(
    'is the SHA-256 of a public key in %s, of a private key or of a certificate',
    async (as) => {
      const expected = ({ publicKey }: TestKey) =>
        createHash('sha256')
          .update(publicKey.export({ type: 'spki', format: 'der' }))
          .digest(as);
      for (const key of [rsa, p256]) {
        expect(await of({ publicKeyOf: '{key}', as }, { key: key.pkcs8 })).toBe(expected(key));
        expect(await of({ publicKeyOf: '{key}', as }, { key: key.older })).toBe(expected(key));
      }
      expect(await of({ publicKeyOf: '{key}', as }, { key: certified.cert })).toBe(
        await of({ publicKeyOf: '{key}', as }, { key: certified.key }),
      );
    },
  );

  it('is the thumbprint of a certificate (RFC 7515 §4.1.8)', async () => {
    const certificate = new X509Certificate(certified.cert);
    expect(await of({ thumbprintOf: '{c}', as: 'base64url' }, { c: certified.cert })).toBe(
      createHash('sha256').update(certificate.raw).digest('base64url'),
    );
    const asHex = await of({ thumbprintOf: '{c}', as: 'hex' }, { c: certified.cert });
    expect(asHex?.toUpperCase()).toBe(certificate.fingerprint256.replaceAll(':', ''));
    await expect(of({ thumbprintOf: '{c}', as: 'hex' }, { c: certified.key })).rejects.toThrow('`c`');
  });

  it.each([
    [{ time: 'iso' }, '2026-01-02T03:04:05.678Z'],
    [{ time: 'date' }, '2026-01-02'],
    [{ time: 'seconds' }, '1767323045'],
    [{ time: 'milliseconds' }, '1767323045678'],
    [{ time: 'seconds', plusSeconds: -60 }, '1767322985'],
    [{ time: 'date', plusSeconds: 86_400 }, '2026-01-03'],
  ] as const)('is the time: %j', async (derived, expected) => {
    expect(await of(derived)).toBe(expected);
  });

  it('is chance', async () => {
    expect(await of({ random: 'uuid' })).toBe(UUID);
    expect(await of({ random: 'hex' })).toBe('0123456789ab4def8123456789abcdef');
  });

  it.each<Derived>([
    { text: '{a}{absent}' },
    { base64: '{absent}' },
    { digest: 'sha256', of: '{absent}', as: 'hex' },
    { digest: 'sha256', of: '{a}', key: '{absent}', as: 'hex' },
    { publicKeyOf: '{absent}', as: 'hex' },
    { thumbprintOf: '{absent}', as: 'hex' },
  ])('is absent where what it names is: %j', async (derived) => {
    expect(await of(derived, { a: 'x' })).toBeUndefined();
  });
});
