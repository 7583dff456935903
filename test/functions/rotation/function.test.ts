import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoHelpmasterSecret } from '../../../local/demo/helpmaster.ts';
import { type FunctionsUnderTest, startFunctionsUnderTest } from '../api/functions-under-test.ts';

/** Connections each with a secret of its own, so that no test finds a copy kept by the one before. */
const names = ['by_name', 'by_arn', 'by_service', 'unchanged', 'good'] as const;
const secretOf = (connection: string) => `prod/${connection}`;
const arnOf = (connection: string) =>
  `arn:aws:secretsmanager:us-east-1:123456789012:secret:${secretOf(connection)}-AbC123`;

let broker: FunctionsUnderTest;

beforeAll(async () => {
  broker = await startFunctionsUnderTest(({ helpmaster }) => ({
    connections: Object.fromEntries(
      names.map((name) => [
        name,
        { provider: 'helpmaster', baseUrl: helpmaster, secret: secretOf(name), memorySeconds: 0 },
      ]),
    ),
  }));
});
afterAll(() => broker.close());
beforeEach(() => {
  broker.downstream();
});

/** Builds the event that EventBridge makes of a CloudTrail record. */
const putSecretValue = (secretId: unknown) => ({
  source: 'aws.secretsmanager',
  'detail-type': 'AWS API Call via CloudTrail',
  detail: { eventName: 'PutSecretValue', requestParameters: { secretId }, additionalEventData: null },
});
const rotationSucceeded = (secretId: string) => ({
  source: 'aws.secretsmanager',
  'detail-type': 'AWS Service Event via CloudTrail',
  detail: { eventName: 'RotationSucceeded', requestParameters: null, additionalEventData: { SecretId: secretId } },
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
    ['PutSecretValue by name', 'by_name', putSecretValue(secretOf('by_name'))],
    ['PutSecretValue by ARN', 'by_arn', putSecretValue(arnOf('by_arn'))],
    ['RotationSucceeded', 'by_service', rotationSucceeded(arnOf('by_service'))],
  ])(
    'invariant 5: %s ends the back-off of a refused slot, and it is tried at once',
    async (_what, connection, event) => {
      await refuse(connection);
      broker.secrets.put(connection, { ...demoHelpmasterSecret });
      // Without the event the next look would be up to 10 s away.
      expect((await get(connection)).json).toMatchObject({ code: 'upstream_credential_rejected' });

      expect(await broker.run('rotation', event)).toBeUndefined();
      expect((await get(connection)).json).toMatchObject({ source: 'login' });
    },
  );

  it('invariant 5: an event without a new version does not have the refused one tried again', async () => {
    await refuse('unchanged');
    await broker.run('rotation', putSecretValue(secretOf('unchanged')));
    expect((await get('unchanged')).json).toMatchObject({ code: 'upstream_credential_rejected' });
    const looked = broker.downstream();
    expect(looked).toMatchObject({ 'secretsmanager.GetSecretValue': 1 });
    expect(looked['logins']).toBeUndefined();
  });

  it('H8, H16: leaves good tokens where they are', async () => {
    const before = await get('good');
    await broker.run('rotation', putSecretValue(arnOf('good')));
    const after = await get('good');
    expect(after.json['source']).toBe('cache');
    expect(after.json['generation']).toBe(before.json['generation']);
  });
});

describe('an unrelated event', () => {
  it.each<readonly [string, unknown]>([
    ['another secret', putSecretValue('prod/other')],
    ['a secret whose name begins alike', putSecretValue(`${secretOf('good')}-two`)],
    ['an ARN of another secret', putSecretValue(arnOf('good-two'))],
    ['no secret', putSecretValue(undefined)],
    ['a secret that is a number', putSecretValue(7)],
    ['nothing', undefined],
    ['an empty object', {}],
    ['a text', 'rotate'],
  ])('%s: touches nothing', async (_what, event) => {
    expect(await broker.run('rotation', event)).toBeUndefined();
    expect(broker.downstream()).toEqual({});
  });
});
