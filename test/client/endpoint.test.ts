import { describe, expect, it } from 'vitest';
import { systemClock } from '../../client/clock.ts';
import { endpointOf } from '../../client/endpoint.ts';
import { createSigner } from '../../client/signing.ts';

const API = 'https://abc123.execute-api.eu-central-1.amazonaws.com';

describe('the address of the broker', () => {
  it('is npm start on this machine, with no setting', () => {
    expect(endpointOf({ environment: {} })).toEqual({
      base: 'http://127.0.0.1:8787',
      region: 'us-east-1',
      isLoopback: true,
    });
  });

  it('is TOKEN_BROKER_URL, unless a URL is given', () => {
    const environment = { TOKEN_BROKER_URL: `${API}/stage/` };
    expect(endpointOf({ environment }).base).toBe(`${API}/stage`);
    expect(endpointOf({ url: 'http://localhost:1', environment }).base).toBe('http://localhost:1');
  });

  it('takes the region from the API’s name, and AWS_REGION for a name of one’s own', () => {
    const environment = { AWS_REGION: 'eu-west-1' };
    expect(endpointOf({ url: API, environment }).region).toBe('eu-central-1');
    expect(endpointOf({ url: 'https://tokens.example.com', environment }).region).toBe('eu-west-1');
    expect(endpointOf({ url: API, region: 'us-west-2', environment }).region).toBe('us-west-2');
    expect(() => endpointOf({ url: 'https://tokens.example.com', environment: {} })).toThrow(/AWS_REGION/);
  });

  it.each([
    'http://tokens.example.com',
    'http://127.0.0.1.example.com',
    'tokens.example.com',
    'ftp://127.0.0.1',
    'https://user:secret@tokens.example.com',
    `${API}?x=1`,
  ])('refuses %s', (url) => {
    const refused = () => endpointOf({ url, environment: { AWS_REGION: 'eu-west-1' } });
    expect(refused).toThrow(/usage/);
    expect(refused).not.toThrow(/secret/);
  });
});

describe('credentials', () => {
  const endpoint = { region: 'eu-central-1', isLoopback: false };
  const request = { method: 'GET', url: new URL(`${API}/connections`), headers: {} };

  it('are asked for again only when they are about to end', async () => {
    let asked = 0;
    const lifeMs = [3_600_000, 30_000];
    const credentials = async () => {
      const expiration = new Date(Date.now() + (lifeMs[asked] ?? 0));
      asked += 1;
      return { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session', expiration };
    };
    const sign = createSigner({ endpoint, clock: systemClock, credentials });
    const headers = await sign(request);
    await sign(request);
    expect(asked).toBe(1);
    expect(headers['authorization']).toContain('/eu-central-1/execute-api/aws4_request');
    expect(headers['x-amz-security-token']).toBe('session');

    const short = createSigner({
      endpoint,
      clock: { now: () => Date.now() + 3_590_000 },
      credentials: async () => ({ ...(await credentials()), expiration: new Date(0) }),
    });
    await short(request);
    await short(request);
    expect(asked).toBe(3);
  });

  it.each([
    ['a text', () => new Date(Date.now() + 3_600_000).toISOString(), 1],
    ['a number', () => Date.now() + 3_600_000, 1],
    ['no time', () => 'soon', 3],
  ])('whose end is %s are used all the same', async (_, end, times) => {
    let asked = 0;
    const credentials = async () => {
      asked += 1;
      return { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', expiration: end() };
    };
    const sign = createSigner({ endpoint, clock: systemClock, credentials });
    for (let call = 0; call < 3; call += 1) expect((await sign(request))['authorization']).toContain('AKIDEXAMPLE');
    expect(asked).toBe(times);
  });

  it('that are unavailable are reported without the provider’s error', async () => {
    const credentials = async () => {
      throw new Error('profile secret-profile is broken');
    };
    const sign = createSigner({ endpoint, clock: systemClock, credentials });
    await expect(sign(request)).rejects.toMatchObject({ kind: 'credentials' });
    await expect(sign(request)).rejects.not.toThrow(/secret-profile/);
  });
});
