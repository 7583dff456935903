import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Finding } from '../../client/cli/doctor/checks.ts';
import { startStub } from './broker-stub.ts';
import { tokenBroker } from './command-line.ts';

const API = 'https://abc123.execute-api.eu-central-1.amazonaws.com';
const WFM = {
  name: 'wfm',
  provider: 'community-web-api',
  lifetime_seconds: 1200,
  secret_fields: [
    { name: 'username', kind: 'text', required: true, without: '|' },
    { name: 'password', kind: 'text', required: true },
  ],
  subjects: { system: true, users: null },
};
const CANARY = 'canary-71be';
const GOOD = JSON.stringify({ username: 'svc', password: CANARY });

const aws = await startStub();
afterAll(() => aws.close());
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-key');
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', aws.url);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const lastRead = () => JSON.parse(aws.requests.at(-1)?.body ?? '{}');
const refusal = (type: string) => ({
  status: 400,
  headers: { 'x-amzn-errortype': type },
  body: { __type: type, message: CANARY },
});

/** `doctor --json` of a deployed broker with these connections: STS, the API and Secrets Manager are stood in for. */
async function doctor(
  args: readonly string[],
  connections: readonly (Omit<typeof WFM, 'secret_fields'> & {
    readonly secret?: string;
    readonly secret_fields: readonly object[];
  })[] = [WFM],
) {
  const real = globalThis.fetch;
  vi.stubGlobal('fetch', async (url: string | URL, init?: RequestInit) => {
    const { origin, pathname } = new URL(url);
    if (origin !== API) return real(url, init);
    if (pathname.startsWith('/tokens/')) return Response.json({ code: 'invalid_request' }, { status: 400 });
    const status = connections.find(({ name }) => pathname.endsWith(`/${name}`));
    const body = status === undefined ? { connections } : { ...status, slots: [] };
    return Response.json(body, { headers: { date: new Date().toUTCString() } });
  });
  const sts = await startStub();
  sts.answer({ body: { GetCallerIdentityResponse: { GetCallerIdentityResult: { Arn: 'arn:aws:iam::1:user/me' } } } });
  const ran = await tokenBroker(['doctor', ...args, '--json'], {
    url: API,
    environment: { AWS_ENDPOINT_URL_STS: sts.url },
  });
  await sts.close();
  const findings: readonly Finding[] = ran.stdout === '' ? [] : JSON.parse(ran.stdout).findings;
  return { ...ran, shapes: findings.filter(({ check }) => check.startsWith('shape ')) };
}

describe('doctor --read-secrets', () => {
  it('reads the secret that the stack makes, and shows nothing of it', async () => {
    aws.answer({ body: { SecretString: GOOD } });
    const { code, stdout, shapes } = await doctor(['--read-secrets']);
    expect({ code, shapes }).toMatchObject({ code: 0, shapes: [{ check: 'shape wfm', state: 'ok' }] });
    expect(lastRead()).toMatchObject({ SecretId: 'token-broker/wfm' });
    expect(stdout).not.toContain(CANARY);
  });

  it('reads a secret that was put as bytes (C3)', async () => {
    aws.answer({ body: { SecretBinary: Buffer.from(GOOD).toString('base64') } });
    expect(await doctor(['--read-secrets'])).toMatchObject({ code: 0, shapes: [{ check: 'shape wfm', state: 'ok' }] });
  });

  it('reads the secret that the broker names', async () => {
    aws.answer({ body: { SecretString: GOOD } });
    await doctor(['--read-secrets'], [{ ...WFM, secret: 'token-broker-dev/wfm' }]);
    expect(lastRead()).toMatchObject({ SecretId: 'token-broker-dev/wfm' });
  });

  it.each([
    ['the one connection', ['wfm', '--secret-id', 'mine=1/wfm'], 'mine=1/wfm'],
    ['the one connection, by its name', ['wfm', '--secret-id', 'wfm=mine/wfm'], 'mine/wfm'],
    [
      'one of all',
      ['--secret-id', 'wfm=arn:aws:secretsmanager:eu-central-1:1:secret:x'],
      'arn:aws:secretsmanager:eu-central-1:1:secret:x',
    ],
  ])('reads the secret named for %s', async (_name, args, expected) => {
    aws.answer({ body: { SecretString: GOOD } });
    expect((await doctor(['--read-secrets', ...args])).code).toBe(0);
    expect(lastRead()).toMatchObject({ SecretId: expected });
  });

  it('does not take a secret of another name for a fault of the broker', async () => {
    aws.answer(refusal('ResourceNotFoundException'));
    const { code, stdout, shapes } = await doctor(['--read-secrets']);
    expect({ code, shapes }).toMatchObject({ code: 0, shapes: [{ state: 'unknown' }] });
    expect(shapes[0]?.remedy).toContain('--secret-id wfm=ID');
    expect(stdout).not.toContain(CANARY);
  });

  it('names what reading takes where it is denied', async () => {
    aws.answer(refusal('AccessDeniedException'));
    const { code, shapes } = await doctor(['--read-secrets']);
    expect({ code, shapes }).toMatchObject({ code: 0, shapes: [{ state: 'unknown' }] });
    expect(shapes[0]?.detail).toMatch(/secretsmanager:GetSecretValue.*kms:Decrypt/);
    expect(shapes[0]?.detail).not.toContain('PutSecretValue');
  });

  it('finds a secret of the wrong shape', async () => {
    aws.answer({ body: { SecretString: JSON.stringify({ username: CANARY }) } });
    const { code, stdout, shapes } = await doctor(['--read-secrets']);
    expect({ code, shapes }).toMatchObject({ code: 8, shapes: [{ state: 'failed' }] });
    expect(stdout).not.toContain(CANARY);
  });

  it('warns of what was copied along with a field', async () => {
    aws.answer({ body: { SecretString: JSON.stringify({ username: 'svc', password: `${CANARY}\u200b` }) } });
    const { code, stdout, shapes } = await doctor(['--read-secrets']);
    expect({ code, shapes }).toMatchObject({ code: 0, shapes: [{ state: 'warning' }] });
    expect(shapes[0]?.detail).toContain('"password" holds a character that cannot be seen');
    expect(stdout).not.toContain(CANARY);
  });

  it('finds a private key that does not fit its algorithm', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const key = { algorithm: 'RS256', type: 'rsa', bits: 2048, words: 'an RSA key' };
    const fields = [{ name: 'privateKey', kind: 'pem', required: true, key }];
    aws.answer({ body: { SecretString: JSON.stringify({ privateKey: pem }) } });
    const { code, stdout, shapes } = await doctor(['--read-secrets'], [{ ...WFM, secret_fields: fields }]);
    expect({ code, shapes }).toMatchObject({
      code: 8,
      shapes: [
        { state: 'failed', detail: '"privateKey" holds a key that does not fit RS256, which takes an RSA key.' },
      ],
    });
    expect(stdout).not.toContain(pem.split('\n')[1]);
  });

  it.each([
    ['no connection for it', ['--read-secrets', '--secret-id', 'mine/wfm']],
    ['nothing to be read', ['wfm', '--secret-id', 'mine/wfm']],
  ])('refuses --secret-id with %s', async (_name, args) => {
    expect(await doctor(args)).toMatchObject({ code: 2, stdout: '' });
  });
});
