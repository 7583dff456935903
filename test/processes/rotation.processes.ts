import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { gistOf } from '../system/api-client.ts';
import { startReuseDetectingServer } from './reuse-detecting-server.ts';
import { openSharedBrokers, type SharedBroker } from './shared-brokers.ts';

/** `ROTATION_SECONDS=60` for a whole minute; CI has a quarter of that. */
const SECONDS = Number(process.env['ROTATION_SECONDS'] ?? 15);
/** Time beyond `SECONDS` that a slow machine gets, until it has made enough rotations and kills to prove something. */
const MORE_SECONDS = 90;
const PROCESSES = 3;
const CALLERS = 200;
/** Each with a grant of its own, so that a kill meets some login on its way. */
const NAMES = Array.from({ length: 12 }, (_, index) => `books-${index}`);
const SECRET = { clientId: 'client', clientSecret: 'secret' };
/** A token is due four seconds after it was issued: five are for what clocks may differ. */
const LIFE_SECONDS = 9;
/** The time by which a kill may come after a use, for the use to be one that it cut off: answer, write, and a busy machine. */
const CUT_OFF_MS = 5_000;

const server = await startReuseDetectingServer({ lifeSeconds: LIFE_SECONDS, answerMs: 60 });
const each = (of: (name: string) => Record<string, unknown>) =>
  Object.fromEntries(NAMES.map((name) => [name, of(name)]));
const connection = { provider: 'oauth-refresh-token', baseUrl: server.baseUrl, minTtlSeconds: 0, memorySeconds: 0 };
const shared = await openSharedBrokers({
  connections: each(() => connection) as never,
  secrets: each(() => ({ ...SECRET, refreshToken: server.consent() })) as never,
  flags: ['--refresh-every', '1'],
});
afterAll(async () => {
  await shared.close();
  await server.close();
});

/** The refresh tokens that the server has given for others so far. */
const rotations = () => server.uses.filter(({ next }) => next !== undefined).length;

it(`invariant 19: ${CALLERS} callers and kills for ${SECONDS} s never trip reuse detection, but where a process died on the way`, {
  timeout: (SECONDS + MORE_SECONDS + 60) * 1000,
}, async () => {
  const brokers: (SharedBroker | undefined)[] = [...(await shared.startMany(PROCESSES))];
  const kills: number[] = [];
  const answers = new Map<string, number>();
  const started = Date.now();
  const hasSeenEnough = () => kills.length > 2 && rotations() > NAMES.length * 2;
  const goesOn = () => {
    const seconds = (Date.now() - started) / 1000;
    return seconds < SECONDS || (!hasSeenEnough() && seconds < SECONDS + MORE_SECONDS);
  };

  async function call(caller: number): Promise<void> {
    while (goesOn()) {
      const broker = brokers[caller % PROCESSES];
      const name = NAMES[caller % NAMES.length] ?? '';
      const answer = await broker?.api.token(name, 'system').catch(() => undefined);
      const gist = answer === undefined ? 'no broker' : gistOf(answer);
      answers.set(gist, (answers.get(gist) ?? 0) + 1);
      await sleep(200 + Math.random() * 600);
    }
  }

  async function kill(): Promise<void> {
    while (goesOn()) {
      await sleep(Math.random() * 1_500);
      // Soon after a use, so that many kills meet a login on its way.
      const seen = server.uses.length;
      while (server.uses.length === seen && goesOn()) await sleep(1);
      await sleep(Math.random() * 100);
      const victim = Math.floor(Math.random() * PROCESSES);
      const { broker } = brokers[victim] ?? {};
      brokers[victim] = undefined;
      kills.push(Date.now());
      await broker?.stop('SIGKILL');
      brokers[victim] = await shared.start();
    }
  }

  await Promise.all([kill(), ...Array.from({ length: CALLERS }, (_, caller) => call(caller))]);

  // Each token that came back had been cut off: a process died between sending it and writing the next.
  const unexplained = server.reuses.filter(({ token, at }) => {
    const first = server.uses.find((use) => use.token === token && use.next !== undefined);
    return first === undefined || !kills.some((killed) => killed <= at && Math.abs(killed - first.at) <= CUT_OFF_MS);
  });
  console.info(
    `${rotations()} refresh tokens, ${kills.length} kills, ${server.reuses.length} cut off;`,
    Object.fromEntries(answers),
  );
  expect(unexplained).toEqual([]);
  expect(kills.length).toBeGreaterThan(2);
  expect(rotations()).toBeGreaterThan(NAMES.length * 2);
  expect(server.reuses.length).toBeLessThanOrEqual(kills.length * NAMES.length);
});

it('keeps the next refresh token where the process is killed after it was written: nobody needs to consent again', async () => {
  const [one, other] = await shared.startMany(2);
  if (one === undefined || other === undefined) throw new Error('there are two brokers');
  const secrets = Object.fromEntries(NAMES.map((name) => [name, { ...SECRET, refreshToken: server.consent() }]));
  await shared.writeSecrets(secrets);
  await sleep(3_000);
  const [name = ''] = NAMES;
  await one.api.purge(name, 'system');
  expect((await one.api.token(name, 'system')).status).toBe(200);
  const before = server.reuses.length;
  await one.broker.stop('SIGKILL');
  await other.api.purge(name, 'system');

  expect((await other.api.token(name, 'system')).status).toBe(200);
  expect(server.reuses).toHaveLength(before);
});
