import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VARIABLES } from '../../../functions/composition/environment.ts';
import { type FunctionsUnderTest, startFunctionsUnderTest } from '../api/functions-under-test.ts';

describe('a function that hands out tokens, with a limit on waits', () => {
  let broker: FunctionsUnderTest;
  beforeAll(async () => {
    broker = await startFunctionsUnderTest(
      ({ helpmaster }) => ({ connections: { helpdesk: { provider: 'helpmaster', baseUrl: helpmaster } } }),
      { [VARIABLES.waits]: '1' },
    );
  });
  afterAll(() => broker.close());

  it('has one request wait at a time, tells the others when to come again, and serves them then', async () => {
    const paths = ['system', '42', '88'].map((subject) => `/tokens/helpdesk/${subject}`);
    const answers = await Promise.all(paths.map((path) => broker.call({ path })));
    const refused = answers.filter(({ status }) => status !== 200);

    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(paths.length);
    for (const { status, json, headers } of refused) {
      expect([status, json['code']]).toEqual([503, 'refresh_in_progress']);
      expect(headers['retry-after']).toBe('1');
    }
    for (const path of paths) expect((await broker.call({ path })).status).toBe(200);
  });

  it('needs no permit for a token that is there', async () => {
    await broker.call({ path: '/tokens/helpdesk/system' });
    broker.downstream();
    await Promise.all(Array.from({ length: 8 }, () => broker.call({ path: '/tokens/helpdesk/system' })));
    expect(broker.downstream()).toEqual({});
  });
});
