import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../local/demo/helpmaster.ts';
import type { TestControls } from '../../local/system.ts';
import { type Answer, type ApiClient, gistOf, tokenOf } from '../system/api-client.ts';
import { type SystemUnderTest, startSystemUnderTest } from '../system/system-under-test.ts';
import { waitUntil } from '../system/wait-until.ts';

const SLOW_MS = 60_000;
const SLOTS = 60;
const STAFF = Array.from({ length: SLOTS }, (_, index) => String(index + 1));

let upstream: Awaited<ReturnType<typeof startDemoHelpmaster>>;
let system: SystemUnderTest;
let api: ApiClient;
let controls: TestControls;
let used = 0;

beforeAll(async () => {
  upstream = await startDemoHelpmaster({ knobs: { staff: STAFF } });
  const connection = {
    provider: 'helpmaster',
    baseUrl: upstream.baseUrl,
    timeoutSeconds: 1,
    memorySeconds: 0,
    isolation: 'shared',
  };
  system = await startSystemUnderTest({
    connections: Object.fromEntries(STAFF.map((subject) => [connectionOf(subject), connection])),
    secrets: Object.fromEntries(STAFF.map((subject) => [connectionOf(subject), demoHelpmasterSecret])),
  });
  ({ api, controls } = system);
});
afterEach(() => {
  controls.dynamodb.clear();
  controls.aws.clear();
  upstream.setKnobs({ delayLoginMs: 0 });
});
afterAll(async () => {
  await system.close();
  await upstream.close();
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

/** Invariant 18: once the fault has ended, callers do nothing but ask. */
async function heals(subject: string, gist = '200 login'): Promise<Answer> {
  controls.dynamodb.clear();
  controls.aws.clear();
  const answer = await waitUntil('token', async () => {
    const got = await ask(subject);
    return got.status === 503 ? undefined : got;
  });
  expect(gistOf(answer)).toBe(gist);
  return answer;
}

interface PlatformFault {
  readonly name: string;
  readonly arrange: () => void;
  readonly gist: string;
  /** In seconds; none where the time is not known. */
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

describe.concurrent('a secret that cannot be used', () => {
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
    await heals(subject, '200 login');
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
    const subject = freshSubject();
    upstream.setKnobs({ delayLoginMs: 500 });
    const asked = ask(subject);
    await waitUntil('login', () => (loginsOf(subject) > 0 ? true : undefined));
    controls.dynamodb.set('dynamodb', { mode, operation: 'UpdateItem', count });
    const answer = await asked;
    expect(gistOf(answer)).toBe('200 login');
    expect(answer.json['generation']).toBe(1);
    expect(loginsOf(subject)).toBe(1);
    expect(tokenOf(await heals(subject, '200 cache'))).toBe(tokenOf(answer));
  });

  it('of `mint`: what it published is handed out, with one login', async () => {
    const subject = freshSubject();
    controls.aws.set('lambda', { mode: 'lose-reply', count: 1 });
    expect((await ask(subject)).status).toBe(200);
    expect(loginsOf(subject)).toBe(1);
  });
});

describe.concurrent('outages that are waited for', { timeout: SLOW_MS }, () => {
  it('invariants 4, 6: a publication that never succeeds → 503 store_unavailable, the token is discarded', async () => {
    const own = await startSlow();
    const asked = own.system.api.token('helpdesk', 'system');
    await waitUntil('login', () => (own.upstream.ledger().logins.length > 0 ? true : undefined));
    own.system.controls.dynamodb.set('dynamodb', { mode: 'down', operation: 'UpdateItem' });
    const answer = await asked;
    expect(['503 store_unavailable', '503 refresh_in_progress']).toContain(gistOf(answer));
    own.system.controls.dynamodb.clear();
    // The back-off of the lease holds: asking again logs in only when it is over.
    const next = await own.system.api.token('helpdesk', 'system');
    expect(['503 refresh_in_progress', '503 cooldown']).toContain(gistOf(next));
    expect(own.upstream.ledger().logins).toHaveLength(1);
    await own.close();
  });

  it.each(['hang', 'reset', 'down'] as const)(
    'an invocation of `mint` without an answer (%s) → 503 while its lease and back-off hold, and nothing is sent twice',
    async (mode) => {
      const own = await startSlow();
      own.system.controls.aws.set('lambda', { mode });
      const answer = await own.system.api.token('helpdesk', 'system');
      expect(['503 refresh_in_progress', '503 cooldown']).toContain(gistOf(answer));
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(own.system.controls.aws.counts()).toMatchObject({ 'lambda.Invoke': 1 });
      expect(own.upstream.ledger().logins).toEqual([]);
      own.system.controls.aws.clear();
      await own.close();
    },
  );

  it.each([
    ['secretsmanager', ['503 secret_unavailable', '504 deadline_exceeded', '503 refresh_in_progress']],
    ['kms', ['503 kms_unavailable', '504 deadline_exceeded', '503 refresh_in_progress']],
  ] as const)('%s that hangs → an error within the lease, and no login', async (service, gists) => {
    const own = await startSlow();
    own.system.controls.aws.set(service, { mode: 'hang' });
    expect(gists).toContain(gistOf(await own.system.api.token('helpdesk', 'system')));
    expect(own.upstream.ledger().logins).toEqual([]);
    own.system.controls.aws.clear();
    const healed = await waitUntil('token', async () => {
      const got = await own.system.api.token('helpdesk', 'system');
      return got.status === 200 ? got : undefined;
    });
    expect(gistOf(healed)).toBe('200 login');
    expect(own.upstream.ledger().logins).toHaveLength(1);
    await own.close();
  });
});

/** A system of its own, for faults that are left standing; its login takes half a second. */
async function startSlow() {
  const own = await startDemoHelpmaster({ knobs: { delayLoginMs: 500 } });
  const slow = await startSystemUnderTest({
    connections: { helpdesk: { provider: 'helpmaster', baseUrl: own.baseUrl, timeoutSeconds: 1, memorySeconds: 0 } },
    secrets: { helpdesk: demoHelpmasterSecret },
  });
  return {
    upstream: own,
    system: slow,
    async close() {
      await slow.close();
      await own.close();
    },
  };
}
