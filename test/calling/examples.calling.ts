import { afterAll, describe, expect, it } from 'vitest';
import { startBroker } from '../system/broker-process.ts';
import { prepareLanguages } from './languages.ts';
import { pathOf, readyRequests } from './ready-requests.ts';

describe('the ready requests, against a broker that refuses what is not signed', async () => {
  const [broker, languages] = await Promise.all([startBroker(['--require-sigv4']), prepareLanguages()]);
  afterAll(() => broker.stop());

  const variables = (secretKey: string) => ({
    TOKEN_BROKER_URL: broker.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  });

  it.each(readyRequests)('%s prints a hand-out', async (language, file) => {
    const { stdout, stderr, failed } = await languages[language](pathOf(file), variables('local'));

    expect({ failed, stderr }).toEqual({ failed: false, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ connection: 'helpdesk', subject: 'system', token_type: 'Bearer' });
  });

  it.each(readyRequests)('%s gets none with another secret key', async (language, file) => {
    const { stdout } = await languages[language](pathOf(file), variables('wrong'));

    expect(stdout).not.toContain('access_token');
  });
});
