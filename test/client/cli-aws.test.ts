import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { problem, startStub } from './broker-stub.ts';
import { tokenBroker } from './command-line.ts';
import { startLocalBroker } from './local-broker.ts';

const API = 'https://abc123.execute-api.eu-central-1.amazonaws.com';
const CANARY = 'canary-8d31';
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

const [aws, broker] = await Promise.all([startStub(), startLocalBroker()]);
afterAll(() => Promise.all([aws.close(), broker.close()]));
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-key');
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', aws.url);
});
afterEach(() => vi.unstubAllEnvs());

describe('secret set', () => {
  const set = (args: readonly string[], surroundings: Parameters<typeof tokenBroker>[1]) =>
    tokenBroker(['secret', 'set', ...args], { url: API, ...surroundings });
  const lastWritten = () => JSON.parse(aws.requests.at(-1)?.body ?? '{}');

  it('writes a bare key from stdin, without its newline, and prints nothing of it', async () => {
    aws.answer({ body: {} });
    const ran = await set(['helpdesk', '--fields', 'apiKey'], { stdin: `${CANARY}\n` });
    expect(ran).toMatchObject({ code: 0, stdout: '' });
    expect(ran.stderr).not.toContain(CANARY);
    expect(lastWritten()).toMatchObject({
      SecretId: 'token-broker/helpdesk',
      SecretString: JSON.stringify({ apiKey: CANARY }),
    });
    expect(aws.requests.at(-1)?.headers['authorization']).toContain('/eu-central-1/secretsmanager/');
  });

  it('writes JSON from stdin to a secret of another name', async () => {
    aws.answer({ body: {} });
    const stdin = JSON.stringify({ username: 'svc', password: `a|${CANARY}` });
    const args = ['wfm', '--fields', 'username,password', '--secret-id', 'mine/wfm', '--json'];
    const ran = await set(args, { stdin });
    expect(JSON.parse(ran.stdout)).toEqual({
      connection: 'wfm',
      secret_id: 'mine/wfm',
      set: true,
    });
    expect(lastWritten()).toMatchObject({ SecretId: 'mine/wfm', SecretString: stdin });
    await set(args, { stdin: `\uFEFF${stdin}\r\n` });
    expect(lastWritten().SecretString).toBe(stdin);
  });

  it('says what a server may misread in a key, and stores it as it is', async () => {
    aws.answer({ body: {} });
    const ran = await set(['helpdesk', '--fields', 'apiKey'], { stdin: `"${CANARY}"\n` });
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('"apiKey" stands in quotation marks') });
    expect(ran.stderr).not.toContain(CANARY);
    expect(lastWritten().SecretString).toBe(JSON.stringify({ apiKey: `"${CANARY}"` }));
  });

  it.each([
    ['secret set', ['secret', 'set', 'helpdesk', CANARY]],
    ['reject', ['reject', 'wfm', CANARY]],
    ['reject --hash', ['reject', 'wfm', '--hash', CANARY]],
    ['audit --token', ['audit', '--token', CANARY]],
    ['an option that there is not', ['secret', 'set', 'helpdesk', `--value=${CANARY}`]],
  ])('is told of a credential or token as an argument without a repetition: %s', async (_name, args) => {
    for (const json of [[], ['--json']]) {
      const { code, stdout, stderr } = await tokenBroker([...args, ...json], { url: API });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).not.toContain(CANARY);
    }
  });

  it('asks on a terminal without showing what is typed', async () => {
    aws.answer({ body: {} });
    const ran = await set(['helpdesk', '--fields', 'apiKey'], { typed: [`${CANARY}\r`] });
    expect(ran.stderr).toContain('apiKey (not shown): ');
    expect(ran.stdout + ran.stderr).not.toContain(CANARY);
    expect(lastWritten().SecretString).toBe(JSON.stringify({ apiKey: CANARY }));
  });

  it.each([
    ['an empty key', 'apiKey', '\n', '"apiKey" is empty'],
    ['a key with a newline in it', 'apiKey', `${CANARY}\nx`, 'control characters'],
    ['a missing member', 'username,password', `{"username":"${CANARY}"}`, '"password" is missing'],
    ['JSON that is cut short', 'username,password', `{"username":"${CANARY}"`, 'not JSON'],
  ])('writes nothing for %s, says why, and quotes nothing', async (_name, fields, stdin, why) => {
    const before = aws.requests.length;
    const { code, stdout, stderr } = await set(['x', '--fields', fields], { stdin });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
    expect(stderr).not.toContain(CANARY);
    expect(aws.requests.length).toBe(before);
  });

  describe('with the fields that the broker names', () => {
    const PEM = `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----\n`;
    const fields = [
      { name: 'user', kind: 'text', required: true, without: '|' },
      { name: 'key', kind: 'pem', required: true },
      { name: 'scope', kind: 'text', required: false },
    ];
    const told: { fields: readonly object[] } = { fields };
    beforeEach(() => {
      told.fields = fields;
      vi.stubGlobal('fetch', async (url: string | URL) =>
        new URL(url).pathname === '/connections/desk'
          ? Response.json({
              name: 'desk',
              provider: 'bookings',
              lifetime_seconds: 900,
              secret_fields: told.fields,
              subjects: { system: true, users: null },
              slots: [],
            })
          : Response.json({ code: 'unknown_connection' }, { status: 404 }),
      );
      aws.answer({ body: {} });
    });
    afterEach(() => vi.unstubAllGlobals());

    it.each([
      ['all of them', { user: 'a', key: PEM, scope: 'b' }],
      ['those that are required, with a member that is no field', { user: 'a', key: PEM, file: 'type' }],
    ])('writes %s', async (_name, value) => {
      const stdin = JSON.stringify(value);
      expect(await set(['desk'], { stdin })).toMatchObject({ code: 0 });
      expect(lastWritten()).toMatchObject({ SecretId: 'token-broker/desk', SecretString: stdin });
    });

    it.each([
      ['a user name with a separator in it (C4)', { user: 'a|b', key: PEM }, '"user" holds |'],
      ['a key that is no PEM', { user: 'a', key: CANARY }, '"key" holds no PEM'],
    ])('writes nothing for %s', async (_name, value, why) => {
      const before = aws.requests.length;
      const { code, stderr } = await set(['desk'], { stdin: JSON.stringify(value) });
      expect(code).toBe(2);
      expect(stderr).toContain(why);
      expect(stderr).not.toContain(CANARY);
      expect(aws.requests.length).toBe(before);
    });

    describe('of which one is a private key for ES256', () => {
      const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      const es256 = pemOf(ec);
      const older = ec.export({ type: 'sec1', format: 'pem' }).toString();
      const p384 = pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey);
      const rsa = pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
      const shortRsa = pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey);
      const encrypted = ec.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
      const forEs256 = { algorithm: 'ES256', type: 'ec', curve: 'prime256v1', words: 'an EC key on the curve P-256' };
      const forRs256 = { algorithm: 'RS256', type: 'rsa', bits: 2048, words: 'an RSA key' };

      it.each([
        ['as it is', es256, forEs256],
        ['in its older form', older, forEs256],
        ['with its line breaks written out', es256.replaceAll('\n', '\\n'), forEs256],
        ['with blanks for its line breaks', es256.replaceAll('\n', ' '), forEs256],
        ['of RSA', rsa, forRs256],
      ])('writes one %s', async (_, key, form) => {
        told.fields = [{ name: 'key', kind: 'pem', required: true, key: form }];
        expect(await set(['desk'], { stdin: JSON.stringify({ key }) })).toMatchObject({ code: 0 });
      });

      it.each([
        ['on another curve', p384, forEs256, 'does not fit ES256, which takes an EC key on the curve P-256'],
        ['of another kind', rsa, forEs256, 'does not fit ES256'],
        ['of EC for RSA', es256, forRs256, 'does not fit RS256, which takes an RSA key'],
        ['that is short', shortRsa, forRs256, 'an RSA key of 1024 bits, and RS256 takes 2048 or more'],
        ['that is encrypted', encrypted, forEs256, 'is encrypted: put it there without a passphrase'],
        ['that is none', PEM, forEs256, 'holds no private key'],
        ['that is a certificate', PEM.replaceAll('PRIVATE KEY', 'CERTIFICATE'), forEs256, 'holds no private key'],
      ])('writes none %s, and quotes nothing', async (_, key, form, why) => {
        told.fields = [{ name: 'key', kind: 'pem', required: true, key: form }];
        const before = aws.requests.length;
        const { code, stderr } = await set(['desk'], { stdin: JSON.stringify({ key }) });
        expect(code).toBe(2);
        expect(stderr).toContain(`The secret was not set. "key"`);
        expect(stderr).toContain(why);
        expect(stderr).not.toContain(key.split('\n')[1]);
        expect(aws.requests.length).toBe(before);
      });
    });

    it('asks for no PEM on a terminal, whose first line break would end it', async () => {
      const before = aws.requests.length;
      const { code, stderr } = await set(['desk'], { typed: ['a\r'] });
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('"key" is PEM') });
      expect(aws.requests.length).toBe(before);
    });

    it('says that there is no such connection', async () => {
      const { code, stderr } = await set(['nowhere'], { stdin: '{}' });
      expect(code).toBe(2);
      expect(stderr).toContain('The broker has no connection nowhere');
    });
  });

  it.each([
    [400, 'ResourceNotFoundException', 3, 'There is no secret token-broker/helpdesk'],
    [400, 'AccessDeniedException', 3, 'secretsmanager:PutSecretValue'],
    [500, 'InternalServiceError', 5, 'Secrets Manager answered 500'],
  ])('tells what AWS’s %i %s means', async (status, type, expected, why) => {
    aws.answer({ status, headers: { 'x-amzn-errortype': type }, body: { __type: type, message: `arn ${CANARY}` } });
    const { code, stderr } = await set(['helpdesk', '--fields', 'apiKey'], { stdin: 'key' });
    expect(code).toBe(expected);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain(CANARY);
  });
});

describe('credentials', () => {
  it('ends with 6 where there are none', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials');
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    const { code, stdout, stderr } = await tokenBroker(['token', 'wfm'], { url: API });
    expect({ code, stdout }).toEqual({ code: 6, stdout: '' });
    expect(stderr).toContain('aws sso login');
  });
});

describe('doctor', () => {
  it('finds nothing to mend on npm start, and hands out nothing', async () => {
    const counted = await broker.counting('helpmaster');
    const { code, stdout } = await tokenBroker(['doctor'], { url: broker.url });
    expect(code).toBe(0);
    for (const check of ['region', 'identity', 'reach', 'clock', 'grants', 'grants wfm', 'secret wfm']) {
      expect(stdout).toContain(` ${check}: `);
    }
    expect(await counted()).toMatchObject({ logins: 0 });
  });

  it('names a credential that is refused, with the remedy', async () => {
    await broker.turn('helpmaster', { loginStatus: 401 });
    await tokenBroker(['token', 'helpdesk'], { url: broker.url });
    const { code, stdout } = await tokenBroker(['doctor', 'helpdesk', '--json'], { url: broker.url });
    await broker.turn('helpmaster', { loginStatus: null });
    expect(code).toBe(8);
    const { healthy, findings } = JSON.parse(stdout);
    expect(healthy).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'secret helpdesk',
        state: 'failed',
        detail: expect.stringContaining('upstream_credential_rejected'),
        remedy: expect.stringContaining('secret set'),
      }),
    );
  });

  it('tells a clock that is off, and looks no further', async () => {
    aws.answer({ headers: { date: new Date(Date.now() - 3_600_000).toUTCString() }, body: { connections: [] } });
    const { code, stdout } = await tokenBroker(['doctor'], { url: aws.url });
    expect(code).toBe(8);
    expect(stdout).toMatch(/failed +clock: (?:59 m \d+ s|1 h) ahead of the broker/);
    expect(stdout).not.toContain('grants');
  });

  it.each([
    [
      'a block at the login',
      { firewall: { status: 403, body: 'html', seconds: null } },
      /failed +secret wfm: upstream_login_ambiguous for system at \S+, by the status 403 with a body that is no JSON\n +→ .*firewall/,
    ],
    [
      'a block in another status, which says nothing of the secret',
      { firewall: { status: 406, body: 'html', seconds: null } },
      /failed +login wfm: upstream_invalid_response for system at \S+, by the status 406 with a body that is no JSON\n +→ .*`baseUrl`/,
    ],
  ])('tells what a stop rests on: %s', async (_, knobs, said) => {
    const own = await startLocalBroker();
    await own.turn('community', knobs);
    await tokenBroker(['token', 'wfm'], { url: own.url });
    const { code, stdout } = await tokenBroker(['doctor', 'wfm'], { url: own.url });
    await own.close();
    expect(stdout).toMatch(said);
    expect(code).toBe(8);
  });

  it('tells a grant that is missing, and how to give it', async () => {
    aws.answer({ status: 403, body: { message: 'Forbidden' } });
    const { code, stdout } = await tokenBroker(['doctor', 'wfm'], { url: aws.url });
    expect(code).toBe(8);
    expect(stdout).toMatch(/failed +grants wfm: [\s\S]*grantToken\(principal, 'wfm'\)/);
  });

  it('takes a caller with a grant for one token, and none for the rest, as healthy', async () => {
    const forbidden = { status: 403, body: { message: 'Forbidden' } };
    aws.answer({ status: 403 }, forbidden, problem(400, 'invalid_request'), forbidden);
    const { code, stdout } = await tokenBroker(['doctor', 'wfm'], { url: aws.url });
    expect(stdout).toContain('grants wfm: may have its tokens');
    expect(code).toBe(0);
  });

  it('tells that nobody answers', async () => {
    const gone = await startStub();
    await gone.close();
    const { code, stdout } = await tokenBroker(['doctor'], { url: gone.url });
    expect(code).toBe(8);
    expect(stdout).toMatch(/failed +reach: network[\s\S]*npm start/);
  });

  it('tells who AWS takes the caller for', async () => {
    const Arn = 'arn:aws:sts::000000000000:assumed-role/reader/me';
    aws.answer({ body: { GetCallerIdentityResponse: { GetCallerIdentityResult: { Arn } } } });
    const environment = { AWS_ENDPOINT_URL_STS: aws.url };
    const url = 'https://token-broker.invalid';
    const { code, stdout } = await tokenBroker(['doctor', '--region', 'eu-central-1'], { url, environment });
    expect(stdout).toContain(`identity: ${Arn}`);
    expect(aws.requests.at(-1)?.headers['authorization']).toContain('/eu-central-1/sts/');
    expect(code).toBe(8);
  });

  it('does not fault who calls where STS is out of reach, as behind private endpoints', async () => {
    const gone = await startStub();
    await gone.close();
    const environment = { AWS_ENDPOINT_URL_STS: gone.url };
    const args = ['doctor', '--region', 'eu-central-1'];
    const { stdout } = await tokenBroker(args, { url: 'https://token-broker.invalid', environment });
    expect(stdout).toMatch(/unknown +identity: AWS STS, .* cannot be reached\n.*`grants` shows/);
  });
});
