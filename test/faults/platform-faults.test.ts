import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import { retryAtOnce } from '../functions/adapters/aws/retry-at-once.ts';
import { gistOf, tokenOf } from '../system/api-client.ts';
import { useStillTime } from '../system/still-time.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';
import { takeTime } from '../system/taken-time.ts';
import { waitUntil } from '../system/wait-until.ts';
import { startRawUpstream, tokenAnswer } from './raw-upstream.ts';

/** A copy of a secret may be used for 5 s, and its back-off doubles meanwhile. */
const HEALS_WITHIN_SECONDS = 15;
/** A lease is `timeoutSeconds` and 11 s, here 12 s. */
const WITHIN_A_LEASE = { seconds: 12 };
const WITHIN_A_REQUEST = { seconds: 24 };
const LONGEST_BACK_OFF_SECONDS = 30;
const SLOTS = 60;
const STAFF = Array.from({ length: SLOTS }, (_, index) => String(index + 1));

retryAtOnce();
const time = useStillTime();
let used = 0;

const upstream = await startDemoHelpmaster({ knobs: { staff: STAFF } });
const connection = { provider: 'helpmaster', baseUrl: upstream.baseUrl, memorySeconds: 0, isolation: 'shared' };
const holding = await startHoldingUpstream();
const system = await startSystemUnderTest({
  connections: {
    ...Object.fromEntries(STAFF.map((subject) => [connectionOf(subject), connection])),
    held: { ...connection, baseUrl: holding.baseUrl },
  },
  secrets: {
    ...Object.fromEntries(STAFF.map((subject) => [connectionOf(subject), demoHelpmasterSecret])),
    held: demoHelpmasterSecret,
  },
});
const { api, controls } = system;
afterEach(() => {
  controls.dynamodb.clear();
  controls.aws.clear();
});
afterAll(async () => {
  await system.close();
  await upstream.close();
  await holding.close();
});

/** Each slot has a connection of its own, so that no copy of its secret is left from another test. */
function connectionOf(subject: string): string {
  return `helpdesk-${subject}`;
}

const ask = (subject: string) => api.token(connectionOf(subject), subject);

/** A slot that no other test has touched. */
function freshSubject(): string {
  used += 1;
  return STAFF[used - 1] ?? '';
}

const loginsOf = (subject: string) => upstream.ledger().logins.filter((login) => login.subject === subject).length;

/** Invariant 18: once the fault has ended, callers do nothing but ask: here each second. */
async function heals(subject: string): Promise<void> {
  controls.dynamodb.clear();
  controls.aws.clear();
  let answer = await ask(subject);
  for (let passed = 0; answer.status === 503 && passed < HEALS_WITHIN_SECONDS; passed += 1) {
    time.advance({ seconds: 1 });
    answer = await ask(subject);
  }
  expect(gistOf(answer)).toBe('200 login');
}

interface PlatformFault {
  readonly name: string;
  readonly arrange: () => void;
  readonly gist: string;
  /** Retry-After in seconds. Absent if the time is unknown. */
  readonly retryAfter?: string;
}

/** Met by a caller of a slot that has no token: an error, no login, and it heals. */
const withoutToken: readonly PlatformFault[] = [
  ...(['throttle', 'down', 'reset', 'deny'] as const).map((mode) => ({
    name: `DynamoDB: ${mode}`,
    arrange: () => controls.dynamodb.set('dynamodb', { mode }),
    gist: '503 store_unavailable',
  })),
  {
    name: 'DynamoDB: writes throttled, reads not',
    arrange: () => controls.dynamodb.set('dynamodb', { mode: 'throttle', operation: 'UpdateItem' }),
    gist: '503 store_unavailable',
  },
  ...(['throttle', 'down', 'deny'] as const).map((mode) => ({
    name: `Secrets Manager: ${mode}`,
    arrange: () => controls.aws.set('secretsmanager', { mode }),
    gist: '503 secret_unavailable',
    retryAfter: '1',
  })),
  ...(['throttle', 'down', 'deny'] as const).map((mode) => ({
    name: `KMS: ${mode}`,
    arrange: () => controls.aws.set('kms', { mode }),
    gist: '503 kms_unavailable',
    retryAfter: '1',
  })),
  ...(['throttle', 'deny'] as const).map((mode) => ({
    name: `mint: ${mode}`,
    arrange: () => controls.aws.set('lambda', { mode }),
    gist: '503 mint_unavailable',
    retryAfter: '1',
  })),
];

describe('a platform in trouble, and a slot without a token', () => {
  it.each(withoutToken)('$name → $gist, no login, and it heals', async ({ arrange, gist, retryAfter }) => {
    const subject = freshSubject();
    arrange();
    const answer = await ask(subject);
    expect(gistOf(answer)).toBe(gist);
    expect(answer.headers['retry-after']).toBe(retryAfter);
    expect(loginsOf(subject)).toBe(0);
    await heals(subject);
    expect(loginsOf(subject)).toBe(1);
  });

  it('an empty secret → 503 secret_unavailable that names the command, no login, and it heals', async () => {
    const subject = freshSubject();
    system.secrets.empty(connectionOf(subject));
    const answer = await ask(subject);
    expect(gistOf(answer)).toBe('503 secret_unavailable');
    expect(answer.json['detail']).toContain('aws secretsmanager put-secret-value --secret-id token-broker/helpdesk-');
    // Looks at the secret are at most 10 s apart, so that mending it shows soon.
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(10);
    expect(loginsOf(subject)).toBe(0);
    system.secrets.put(connectionOf(subject), demoHelpmasterSecret);
    await heals(subject);
  });

  it('invariant 5: a secret rotated in mid-flight: one refusal of the old version, and the new one serves at once', async () => {
    const subject = freshSubject();
    const first = await ask(subject);
    upstream.setKnobs({ credential: { apiKey: 'the-key-after' } });
    const other = freshSubject();
    expect(gistOf(await ask(other))).toBe('502 upstream_credential_rejected');
    // The token that the old key brought goes on being handed out (H16).
    expect(tokenOf(await ask(subject))).toBe(tokenOf(first));

    system.secrets.put(connectionOf(other), { apiKey: 'the-key-after' });
    const healed = await waitUntil('token', async () => {
      const got = await ask(other);
      return got.status === 200 ? got : undefined;
    });
    expect(gistOf(healed)).toBe('200 login');
    expect(upstream.ledger().logins.filter((login) => login.subject === other)).toMatchObject([
      { status: 401 },
      { status: 200 },
    ]);
    upstream.setKnobs({ credential: demoHelpmasterSecret });
  });
});

describe('a secret that cannot be used', () => {
  it.each([
    ['is no JSON', 'not JSON: canary-7c1e'],
    ['lacks its field', { apikey: 'canary-7c1e' }],
    ['has an empty field', { apiKey: '' }],
  ])('a secret that %s → 503 secret_invalid that quotes nothing, no login, and it heals', async (_what, value) => {
    const subject = freshSubject();
    system.secrets.put(connectionOf(subject), value);
    const answer = await ask(subject);
    expect(gistOf(answer)).toBe('503 secret_invalid');
    expect(answer.text + system.log()).not.toContain('canary-7c1e');
    expect(loginsOf(subject)).toBe(0);
    system.secrets.put(connectionOf(subject), demoHelpmasterSecret);
    await heals(subject);
  });
});

describe('a platform in trouble, and a slot with a good token', () => {
  it.each<readonly [string, () => void]>([
    ['DynamoDB down', () => controls.dynamodb.set('dynamodb', { mode: 'down' })],
    ['DynamoDB throttled', () => controls.dynamodb.set('dynamodb', { mode: 'throttle' })],
    ['KMS down', () => controls.aws.set('kms', { mode: 'down' })],
    ['Secrets Manager down', () => controls.aws.set('secretsmanager', { mode: 'down' })],
    ['mint throttled', () => controls.aws.set('lambda', { mode: 'throttle' })],
  ])('invariant 11: %s: it is handed out, and costs no login', async (_what, arrange) => {
    const subject = freshSubject();
    const first = await ask(subject);
    arrange();
    for (let again = 0; again < 3; again += 1) {
      const answer = await ask(subject);
      expect(gistOf(answer)).toBe('200 cache');
      expect(tokenOf(answer)).toBe(tokenOf(first));
    }
    expect(loginsOf(subject)).toBe(1);
  });
});

describe('a reply that is lost after the write', () => {
  it('at the lease: the holder finds its own, and logs in once', async () => {
    const subject = freshSubject();
    controls.dynamodb.set('dynamodb', { mode: 'lose-reply', operation: 'UpdateItem', count: 1 });
    expect(gistOf(await ask(subject))).toBe('200 login');
    expect(loginsOf(subject)).toBe(1);
  });

  it('at the lease, at every attempt: the consistent read finds its own', async () => {
    const subject = freshSubject();
    controls.dynamodb.set('dynamodb', { mode: 'lose-reply', operation: 'UpdateItem', count: 3 });
    expect(gistOf(await ask(subject))).toBe('200 login');
    expect(loginsOf(subject)).toBe(1);
  });

  it.each([
    ['lose-reply', 1],
    ['lose-reply', 4],
    ['throttle', 4],
    ['down', 4],
  ] as const)('at the publication (%s, %i times): it is found or made good, with one login', async (mode, count) => {
    const before = holding.logins();
    const subject = freshSubject();
    const askHeld = () => api.token('held', subject);
    holding.hold();
    const asked = askHeld();
    await waitUntil('login', () => (holding.logins() > before ? true : undefined));
    controls.dynamodb.set('dynamodb', { mode, operation: 'UpdateItem', count });
    holding.release();
    const answer = await asked;
    expect(gistOf(answer)).toBe('200 login');
    expect(answer.json['generation']).toBe(1);
    controls.dynamodb.clear();
    const after = await askHeld();
    expect(gistOf(after)).toBe('200 cache');
    expect(tokenOf(after)).toBe(tokenOf(answer));
    expect(holding.logins()).toBe(before + 1);
  });

  it('of `mint`: what it published is handed out, with one login', async () => {
    const subject = freshSubject();
    controls.aws.set('lambda', { mode: 'lose-reply', count: 1 });
    expect((await ask(subject)).status).toBe(200);
    expect(loginsOf(subject)).toBe(1);
  });
});

describe('outages that are waited for', () => {
  it('invariants 4, 6: a publication that never succeeds → 503 store_unavailable, the token is discarded', async () => {
    const own = await startOwn();
    own.upstream.hold();
    const time = takeTime();
    const asked = own.system.api.token('helpdesk', 'system');
    await expect.poll(own.upstream.logins).toBe(1);
    own.system.controls.dynamodb.set('dynamodb', { mode: 'down', operation: 'UpdateItem' });
    own.upstream.release();
    const answer = await time.passUntil(asked, WITHIN_A_LEASE);
    expect(['503 store_unavailable', '503 refresh_in_progress']).toContain(gistOf(answer));
    own.system.controls.dynamodb.clear();
    // The back-off of the lease holds: asking again logs in only when it is over.
    const next = await time.passUntil(own.system.api.token('helpdesk', 'system'), WITHIN_A_LEASE);
    expect(['503 refresh_in_progress', '503 cooldown']).toContain(gistOf(next));
    expect(own.upstream.logins()).toBe(1);
  });

  it.each(['hang', 'reset', 'down'] as const)(
    'an invocation of `mint` without an answer (%s) → 503 while its lease and back-off hold, and nothing is sent twice',
    async (mode) => {
      const own = await startOwn();
      const time = takeTime();
      own.system.controls.aws.set('lambda', { mode });
      const answer = await time.passUntil(own.system.api.token('helpdesk', 'system'), WITHIN_A_REQUEST);
      expect(['503 refresh_in_progress', '503 cooldown']).toContain(gistOf(answer));
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(own.system.controls.aws.counts()).toMatchObject({ 'lambda.Invoke': 1 });
      expect(own.upstream.logins()).toBe(0);
    },
  );

  it.each([
    ['secretsmanager', ['503 secret_unavailable', '504 deadline_exceeded', '503 refresh_in_progress']],
    ['kms', ['503 kms_unavailable', '504 deadline_exceeded', '503 refresh_in_progress']],
  ] as const)('%s that hangs → an error within the lease, and no login', async (service, gists) => {
    const own = await startOwn();
    const time = takeTime();
    own.system.controls.aws.set(service, { mode: 'hang' });
    const answer = await time.passUntil(own.system.api.token('helpdesk', 'system'), WITHIN_A_LEASE);
    expect(gists).toContain(gistOf(answer));
    expect(own.upstream.logins()).toBe(0);
    own.system.controls.aws.clear();
    time.advance({ seconds: LONGEST_BACK_OFF_SECONDS });
    const healed = await time.passUntil(own.system.api.token('helpdesk', 'system'), WITHIN_A_LEASE);
    expect(gistOf(healed)).toBe('200 login');
    expect(own.upstream.logins()).toBe(1);
  });
});

/** A system of its own, for faults that are left standing; it ends with the test. */
async function startOwn() {
  const own = await startHoldingUpstream();
  onTestFinished(own.close);
  const started = await startSystemUnderTest({
    connections: { helpdesk: { provider: 'helpmaster', baseUrl: own.baseUrl, timeoutSeconds: 1, memorySeconds: 0 } },
    secrets: { helpdesk: demoHelpmasterSecret },
  });
  onTestFinished(started.close);
  return { upstream: own, system: started };
}

/** A HelpMaster whose answers to logins are held back while the test says so. */
async function startHoldingUpstream() {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const server = await startRawUpstream({
    misbehave: (socket, request) => {
      void request.then(() => gate.promise).then(() => socket.end(tokenAnswer(`token-${randomUUID()}`)));
    },
  });
  return {
    baseUrl: `http://127.0.0.1:${server.port}`,
    logins: server.logins,
    hold: () => {
      gate = Promise.withResolvers();
    },
    release: () => gate.resolve(),
    close: server.close,
  };
}
