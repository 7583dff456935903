import { Writable } from 'node:stream';
import { afterAll, expect, it } from 'vitest';
import { composeCanaryFunction } from '../../../functions/canary/function.ts';
import { startDemoCommunity } from '../../../local/demo/community.ts';
import { startSystemUnderTest } from '../../system/system-under-test.ts';

const CANARY = { TOKEN_BROKER_NAME: 'acme', TOKEN_BROKER_CANARY_SUBJECT: 'system' };

const upstream = await startDemoCommunity();
const system = await startSystemUnderTest({
  connections: { wfm: { provider: 'community-web-api', baseUrl: upstream.baseUrl } },
  flags: ['--require-sigv4'],
});
afterAll(async () => {
  await system.close();
  await upstream.close();
});

/** A canary of a connection, and what it logs. */
function canaryOf(connection: string, url = system.url) {
  let written = '';
  const output = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  const environment = { ...CANARY, TOKEN_BROKER_URL: url, TOKEN_BROKER_CANARY_CONNECTION: connection };
  return { run: composeCanaryFunction({ environment, output }), log: () => written };
}

it('asks as a caller does: the first time it has the broker log in, then it gets the token that is there', async () => {
  const { run, log } = canaryOf('wfm');
  for (let runs = 0; runs < 3; runs += 1) expect(await run()).toBeUndefined();

  const lines = log().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject(
    ['login', 'cache', 'cache'].map((source) => ({
      ...{ level: 'INFO', service: 'canary', connection: 'wfm', subject: 'system', source },
      generation: 1,
      tokenHash: expect.stringMatching(/^[0-9a-f]{12}$/),
    })),
  );
  expect(upstream.ledger().logins).toHaveLength(1);
  // Each run is a hand-out to the canary.
  expect(system.log().match(/"audit":/g)).toHaveLength(3);
  const { json } = await system.api.token('wfm', 'system');
  expect(log()).not.toContain(String(json['access_token']));
});

it('fails where it gets no token, without a second call, and logs the code', async () => {
  const before = system.log().match(/A request was answered with an error/g)?.length ?? 0;
  const { run, log } = canaryOf('no-such');
  await expect(run()).rejects.toThrow('unknown_connection');
  expect(JSON.parse(log())).toMatchObject({
    ...{ level: 'WARN', connection: 'no-such', code: 'unknown_connection', status: 404 },
    requestId: expect.stringMatching(/./),
  });
  expect(system.log().match(/A request was answered with an error/g)).toHaveLength(before + 1);
});

it('fails where nobody answers', async () => {
  const { run, log } = canaryOf('wfm', 'http://127.0.0.1:9');
  await expect(run()).rejects.toThrow('network');
  expect(JSON.parse(log())).toMatchObject({ level: 'WARN', code: 'network' });
});
