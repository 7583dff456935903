import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { connectionOf, helpdesk, pathsOf, problemsOf, refusalOf, warningsOf, wfm } from './declared.ts';

describe('names', () => {
  it.each(['a', '0', 'a-b_c', 'x'.repeat(63)])('takes %s', (name) => {
    expect(connectionOf({ ...helpdesk, isolation: name }).isolation).toBe(name);
  });

  it.each(['', 'A', '-a', '_a', 'a.b', 'a b', 'ä', 'x'.repeat(64), 'a\n'])('refuses %j', (name) => {
    expect(refusalOf({ connections: { [name]: helpdesk } }).problems[0]?.message).toContain('not a name');
    expect(pathsOf({ ...helpdesk, isolation: name })).toEqual(['isolation']);
  });
});

describe('secret', () => {
  it.each([
    'prod/helpdesk',
    'token-broker/a+b=c.d@e_f',
    'arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf',
    'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:team/x-AbCdEf',
  ])('takes the name or ARN %s', (secret) => {
    expect(connectionOf({ ...helpdesk, secret }).secret).toBe(secret);
  });

  it.each([
    ['JSON', '{"apiKey":"S3cretValue"}'],
    ['a user and password', 'svc.api|S3cretValue'],
    ['a text with a space', 'S3cretValue with space'],
    ['a line end', 'S3cretValue\n'],
    ['an empty text', ''],
    ['a UUID', '0bef4ace-1111-4222-8333-444455556666'],
    ['a JWT', 'eyJhbGciOiJIUzI1NiIsInR5cCI6S3cretValue.eyJ9.x'],
    ['an ARN with a stage', 'arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf:S3cretValue:AWSCURRENT:'],
    ['an ARN of another service', 'arn:aws:ssm:us-east-1:123456789012:parameter/S3cretValue'],
    ['an object', { apiKey: 'S3cretValue' }],
  ])('refuses %s and never quotes it', (_what, secret) => {
    const { problems, message } = refusalOf({ connections: { it: { ...helpdesk, secret } } });

    expect(problems.map(({ path }) => path)).toEqual(['connections.it.secret']);
    expect(message).not.toMatch(/S3cretValue|0bef4ace|svc\.api/);
  });

  it.each(['apiKey', 'password', 'username'])('says where a credential declared as `%s` belongs', (key) => {
    const { problems, message } = refusalOf({ connections: { it: { ...helpdesk, [key]: 'S3cretValue' } } });

    expect(problems).toEqual([{ path: `connections.it.${key}`, message: expect.stringContaining('Secrets Manager') }]);
    expect(message).not.toContain('S3cretValue');
  });
});

describe('the ARN of a secret', () => {
  const arn = (end: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${end}`;

  it.each(['wfm', 'prod/wfm', 'prod-secrets', 'prod-abc', '-AbC123', 'wfm-AbC12_'])(
    'is refused without the six characters of AWS at its end: %s',
    (end) => {
      expect(problemsOf({ ...helpdesk, secret: arn(end) })).toEqual([
        { path: 'secret', message: expect.stringMatching(/not complete.*six characters.*or give the name alone/) },
      ]);
    },
  );

  it.each(['wfm-AbC123', 'prod/wfm-000000', `${'n'.repeat(512)}-AbC123`])('is taken with them: %s', (end) => {
    expect(connectionOf({ ...helpdesk, secret: arn(end) }).secret).toBe(arn(end));
  });

  it.each(['my-secret', 'wfm-202611'])('is a warning where they may be of the name: %s', (end) => {
    expect(warningsOf({ ...helpdesk, secret: arn(end) })).toEqual([
      expect.stringContaining(`connections.it.secret ends in \`${end.slice(-7)}\``),
    ]);
    expect(warningsOf({ ...helpdesk, secret: arn(`${end}-AbC123`) })).toEqual([]);
  });

  it('leaves a name that ends like one as it is', () => {
    expect(connectionOf({ ...helpdesk, secret: 'prod-secret' }).secret).toBe('prod-secret');
  });
});

describe('numbers', () => {
  it.each([
    ['timeoutSeconds', [1, 12], [0, 13, 1.5, '6', Number.NaN]],
    ['minTtlSeconds', [0, 17_274], [-1, 0.5, 17_275]],
    ['memorySeconds', [0, 300], [-1, Number.POSITIVE_INFINITY]],
    ['renewalCooldownSeconds', [0, 600], [-1]],
    ['idleSeconds', [1], [0]],
    ['maxTokenAgeSeconds', [326, 86_400], [0, -5, 1e12, 325]],
    ['refreshAfter', [0.01, 0.99], [0, 1, -0.5, 80, '0.5']],
  ])('takes and refuses values of %s', (key, good, bad) => {
    for (const value of good) {
      expect(connectionOf({ ...helpdesk, [key]: value })).toMatchObject({ [key]: value });
    }
    for (const value of bad) {
      expect(problemsOf({ ...helpdesk, [key]: value })).toHaveLength(1);
    }
  });

  it.each([
    [{}, 294, '1200 × (1 − 0.75) = 300', 'lifetimeSeconds'],
    [{ lifetimeSeconds: 300 }, 69, '300 × (1 − 0.75) = 75', 'lifetimeSeconds'],
    [{ keepAlivePath: '/Ping' }, 594, '1200 × (1 − 0.5) = 600', 'lifetimeSeconds'],
    [{ lifetimeSeconds: 200, maxTokenAgeSeconds: 900 }, 44, '200 × (1 − 0.75) = 50', 'lifetimeSeconds'],
    [{ maxTokenAgeSeconds: 400 }, 94, '400 × (1 − 0.75) = 100', 'maxTokenAgeSeconds'],
    [{ lifetimeSeconds: 200, maxTokenAgeSeconds: 30 }, 2, '30 × (1 − 0.75) = 7.5', 'maxTokenAgeSeconds'],
  ])('C17, H13: with %j takes a minTtlSeconds of %i at the most', (declared, most, life, key) => {
    const [problem, ...others] = problemsOf({ ...wfm, ...declared, minTtlSeconds: most + 1 });

    expect(connectionOf({ ...wfm, ...declared, minTtlSeconds: most }).minTtlSeconds).toBe(most);
    expect([problem?.path, ...others]).toEqual(['minTtlSeconds']);
    expect(problem?.message).toContain(`${most + 1} + 5 must be less than`);
    expect(problem?.message).toContain(`: ${life}. Lower minTtlSeconds or refreshAfter, or raise ${key}`);
  });

  it('does not judge times by a key that is faulty itself', () => {
    expect(pathsOf({ ...helpdesk, refreshAfter: 'x', minTtlSeconds: 50_000 })).toEqual(['refreshAfter']);
    expect(pathsOf({ ...wfm, lifetimeSeconds: '9', minTtlSeconds: 500 })).toEqual(['lifetimeSeconds']);
  });
});

describe('subjects', () => {
  it.each(['088', '0', '-1', '2147483648', 'system', ' 88', '', 88])('H9: refuses %j as a staff member', (subject) => {
    expect(pathsOf({ ...helpdesk, subjects: { staff: ['88', subject] } })).toEqual(['subjects.staff[1]']);
  });

  it('refuses a list without entries, other types and other keys', () => {
    expect(pathsOf({ ...helpdesk, subjects: { staff: [] } })).toEqual(['subjects.staff']);
    expect(pathsOf({ ...helpdesk, subjects: { staff: '88' } })).toEqual(['subjects.staff']);
    expect(pathsOf({ ...helpdesk, subjects: { clients: true } })).toEqual(['subjects.clients']);
  });

  it('refuses staff where the provider has none, and takes that it is said so', () => {
    expect(problemsOf({ ...wfm, subjects: { staff: ['88'] } })).toEqual([
      { path: 'subjects.staff', message: expect.stringContaining('not served by provider community-web-api') },
    ]);
    expect(connectionOf({ ...wfm, subjects: { staff: false } }).subjects).toEqual({ system: true, users: false });
  });

  it('refuses a connection that serves nobody', () => {
    expect(pathsOf({ ...helpdesk, subjects: { system: false, staff: false } })).toEqual(['subjects']);
    expect(pathsOf({ ...wfm, subjects: { system: false } })).toEqual(['subjects']);
  });
});

describe('paths and words of a provider', () => {
  it.each(['x', '', '/a/../b', '/a#b', '/a b', '/a\\b', '//host/a', '/a%2e', '/a\r\nX: y'])(
    'refuses the path %j',
    (path) => {
      expect(pathsOf({ ...helpdesk, systemTokenPath: path })).toEqual(['systemTokenPath']);
      expect(pathsOf({ ...wfm, keepAlivePath: path })).toEqual(['keepAlivePath']);
    },
  );

  it('H4: takes the path as the document also writes it', () => {
    expect(connectionOf({ ...helpdesk, userTokenPath: '/User/GetToken/' }).settings['userTokenPath']).toBe(
      '/User/GetToken/',
    );
  });

  it('C3: takes only the three ways to send the login parameter', () => {
    expect(pathsOf({ ...wfm, loginParameter: 'header' })).toEqual(['loginParameter']);
    expect(connectionOf({ ...wfm, loginParameter: 'json' }).settings['loginParameter']).toBe('json');
  });
});

describe('proxy', () => {
  it.each([
    ['methods', ['get', 'CONNECT', 'TRACE', 'GET POST', '', 5]],
    ['paths', ['jobs', '/a/../b', '/a%2f', '/a?b', '/a\\b', '/a//b', '']],
    [
      'headers',
      ['X-Upper', 'authorization', 'cookie', 'host', 'te', 'transfer-encoding', 'x-amz-security-token', 'a b', ''],
    ],
  ])('refuses each bad entry of %s', (key, entries) => {
    for (const entry of entries) {
      expect(pathsOf({ ...helpdesk, proxy: { [key]: [entry] } })).toEqual([`proxy.${key}[0]`]);
    }
  });

  it('C14: never forwards a header that carries the token of this provider', () => {
    expect(pathsOf({ ...wfm, proxy: { headers: ['x-a', 'wfmsgapikey'] } })).toEqual(['proxy.headers[1]']);
    expect(connectionOf({ ...helpdesk, proxy: { headers: ['wfmsgapikey'] } }).proxy?.headers).toEqual(['wfmsgapikey']);
  });

  it('refuses empty lists, bad limits and unknown keys', () => {
    expect(pathsOf({ ...helpdesk, proxy: { methods: [], paths: [], timeoutSeconds: 13, body: 1 } })).toEqual([
      'proxy.methods',
      'proxy.paths',
      'proxy.timeoutSeconds',
      'proxy.body',
    ]);
    expect(pathsOf({ ...helpdesk, proxy: true })).toEqual(['proxy']);
  });

  it('C18: is required where tokens do not overlap', () => {
    expect(pathsOf({ ...wfm, tokensOverlap: false })).toEqual(['tokensOverlap']);
    expect(connectionOf({ ...wfm, tokensOverlap: false, proxy: {} }).tokensOverlap).toBe(false);
    expect(pathsOf({ ...wfm, tokensOverlap: false, proxy: { methods: [] } })).toEqual(['proxy.methods']);
  });
});

describe('the network of functions', () => {
  it('refuses malformed ids, and security groups without a VPC', () => {
    expect(pathsOf({ ...helpdesk, homeRegion: 'Ireland' })).toEqual(['homeRegion']);
    expect(pathsOf({ ...helpdesk, vpc: 'main', securityGroups: ['web'] })).toEqual(['vpc', 'securityGroups[0]']);
    expect(pathsOf({ ...helpdesk, securityGroups: ['sg-0123abcd'] })).toEqual(['securityGroups']);
  });

  it('refuses one isolation group in two networks', () => {
    const shared = { isolation: 'g', vpc: 'vpc-0123abcd' };
    const group = (other: object) => ({
      connections: { a: { ...helpdesk, ...shared }, b: { ...wfm, ...shared, ...other } },
    });

    expect(refusalOf(group({ vpc: 'vpc-99999999' })).problems).toEqual([
      { path: 'connections.b.isolation', message: expect.stringContaining('shares functions with a') },
    ]);
    expect(refusalOf(group({ securityGroups: ['sg-0123abcd'] })).problems).toHaveLength(1);
    expect(() => refusalOf(group({}))).toThrow('was not refused');
    expect(() => refusalOf(group({ isolation: 'h', vpc: 'vpc-99999999' }))).toThrow('was not refused');
  });

  it('takes one or more CA certificates as PEM text', () => {
    const [first = '', second = ''] = rootCertificates;
    const caCertificate = `${first}\n${second}\n`;

    expect(connectionOf({ ...helpdesk, caCertificate }).caCertificate).toBe(caCertificate);
    for (const damaged of [second.slice(0, 300), `${second.slice(0, 300)}\n-----END CERTIFICATE-----`]) {
      expect(pathsOf({ ...helpdesk, caCertificate: `${first}\n${damaged}` })).toEqual(['caCertificate']);
    }
  });

  it('takes no private key, path or rubbish as the CA certificate, and never quotes it', () => {
    for (const pem of [
      '/etc/ca.pem',
      '-----BEGIN CERTIFICATE-----\nS3cret\n-----END CERTIFICATE-----',
      '-----BEGIN PRIVATE KEY-----\nS3cret',
    ]) {
      const { problems, message } = refusalOf({ connections: { it: { ...helpdesk, caCertificate: pem } } });

      expect(problems.map(({ path }) => path)).toEqual(['connections.it.caCertificate']);
      expect(message).not.toContain('S3cret');
    }
  });
});
