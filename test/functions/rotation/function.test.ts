import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { demoHelpmasterSecret } from '../../../local/demo/helpmaster.ts';
import { startFunctionsUnderTest } from '../api/functions-under-test.ts';

/** Connections each with a secret of its own, so that no test finds a copy kept by the one before. */
const names = ['by_name', 'by_arn', 'unchanged', 'good'] as const;
const secretOf = (connection: string) => `prod/${connection}`;
const arnOf = (connection: string) =>
  `arn:aws:secretsmanager:us-east-1:123456789012:secret:${secretOf(connection)}-AbC123`;

const broker = await startFunctionsUnderTest(({ helpmaster }) => ({
  connections: Object.fromEntries(
    names.map((name) => [
      name,
      {
        provider: 'helpmaster',
        baseUrl: helpmaster,
        secret: name === 'by_arn' ? arnOf(name) : secretOf(name),
        memorySeconds: 0,
      },
    ]),
  ),
}));
afterAll(() => broker.close());
beforeEach(() => {
  broker.downstream();
});

/** Builds Secrets Manager's event "Secret Label Updated". */
const labelUpdated = (connection: string) => ({
  source: 'aws.secretsmanager',
  'detail-type': 'Secret Label Updated',
  resources: [arnOf(connection)],
  detail: { name: secretOf(connection), labelUpdated: 'AWSCURRENT', versionId: 'EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE' },
});

const get = (connection: string) => broker.call({ path: `/tokens/${connection}/88` });

/** Has the slot refused under a wrong key. */
async function refuse(connection: string): Promise<void> {
  broker.secrets.put(connection, { apiKey: 'wrong' });
  expect((await get(connection)).json).toMatchObject({ code: 'upstream_credential_rejected' });
  expect(broker.downstream()).toMatchObject({ logins: 1 });
}

describe('a new version of a secret', () => {
  it.each([
    ['by its name', 'by_name'],
    ['by its ARN', 'by_arn'],
  ])(
    'invariant 5: an event of a secret named %s ends the back-off of a refused slot, and it is tried at once',
    async (_how, connection) => {
      await refuse(connection);
      broker.secrets.put(connection, { ...demoHelpmasterSecret });
      // Without the event the next look would be up to 10 s away.
      expect((await get(connection)).json).toMatchObject({ code: 'upstream_credential_rejected' });

      expect(await broker.run('rotation', labelUpdated(connection))).toBeUndefined();
      expect((await get(connection)).json).toMatchObject({ source: 'login' });
    },
  );

  it('invariant 5: an event without a new version does not have the refused one tried again', async () => {
    await refuse('unchanged');
    await broker.run('rotation', labelUpdated('unchanged'));
    expect((await get('unchanged')).json).toMatchObject({ code: 'upstream_credential_rejected' });
    const looked = broker.downstream();
    expect(looked).toMatchObject({ 'secretsmanager.GetSecretValue': 1 });
    expect(looked['logins']).toBeUndefined();
  });

  it('H8, H16: leaves good tokens where they are', async () => {
    const before = await get('good');
    await broker.run('rotation', labelUpdated('good'));
    const after = await get('good');
    expect(after.json['source']).toBe('cache');
    expect(after.json['generation']).toBe(before.json['generation']);
  });
});

describe('an unrelated event', () => {
  it.each<readonly [string, unknown]>([
    ['another secret', labelUpdated('other')],
    ['a secret whose name begins alike', labelUpdated('good-two')],
    ['no secret', { ...labelUpdated('good'), detail: {} }],
    ['a secret that is a number', { ...labelUpdated('good'), detail: { name: 7 } }],
    ['nothing', undefined],
    ['an empty object', {}],
    ['a text', 'rotate'],
  ])('%s: touches nothing', async (_what, event) => {
    expect(await broker.run('rotation', event)).toBeUndefined();
    expect(broker.downstream()).toEqual({});
  });
});
