import { afterAll, describe, expect, it } from 'vitest';
import { ecKey, rsaKey } from '../functions/providers/test-keys.ts';
import { send } from '../local/demo/demo-client.ts';
import { gistOf, headersOf } from './api-client.ts';
import { startOwnBroker } from './own-broker.ts';
import { startGitHub, startGoogle } from './signing-upstreams.ts';
import { waitUntil } from './wait-until.ts';

const proxy = { methods: ['GET'], paths: ['/'] };

describe('a GitHub App: its installations are the subjects', async () => {
  const key = rsaKey();
  const github = await startGitHub({ id: '4711', key, installations: ['101', '202'] });
  const own = await startOwnBroker({
    connections: {
      repos: { provider: 'github-app', baseUrl: github.baseUrl, memorySeconds: 0, proxy },
      one: { provider: 'github-app', baseUrl: github.baseUrl, subjects: { installations: ['101'] } },
      misfit: { provider: 'github-app', baseUrl: github.baseUrl },
    },
    secrets: {
      // The key as GitHub gives it for download, in PKCS #1.
      repos: { appId: '4711', privateKey: key.older },
      one: { appId: '4711', privateKey: key.pkcs8 },
      misfit: { appId: '4711', privateKey: ecKey('P-256').pkcs8 },
    },
  });
  afterAll(async () => {
    await own.close();
    await github.close();
  });

  it('each has a token of its own, for an hour, that opens its repositories', async () => {
    for (const installation of ['101', '202']) {
      const handOut = await own.api.token('repos', installation);
      expect(gistOf(handOut)).toBe('200 login');
      expect(handOut.json['expires_in']).toBeGreaterThan(3_500);
      expect(gistOf(await own.api.token('repos', installation))).toBe('200 cache');
      const repositories = await send(`${github.baseUrl}/installation/repositories`, { headers: headersOf(handOut) });
      expect(repositories.json).toMatchObject({ repositories: [{ id: Number(installation) }] });
      const proxied = await send(`${own.broker.url}/proxy/repos/${installation}/installation/repositories`);
      expect(proxied.json).toMatchObject({ repositories: [{ id: Number(installation) }] });
    }
    expect(github.logins).toEqual(['101', '202']);
  });

  it('one of nobody is refused by itself, and the others go on', async () => {
    expect(gistOf(await own.api.token('repos', '303'))).toBe('502 upstream_subject_rejected');
    expect(gistOf(await own.api.token('repos', '101'))).toBe('200 cache');
    expect((await own.api.purge('repos', '202')).status).toBe(204);
    expect(gistOf(await own.api.token('repos', '202'))).toBe('200 login');
  });

  it('there is no system, no name that is no number, and none that is not listed', async () => {
    const before = github.logins.length;
    for (const subject of ['system', 'acme', '0', '007']) {
      expect([subject, (await own.api.token('repos', subject)).status]).toEqual([subject, 400]);
    }
    expect((await own.api.token('one', '202')).status).toBe(403);
    expect(gistOf(await own.api.token('one', '101'))).toBe('200 login');
    expect(github.logins.length).toBe(before + 1);
  });

  it('the broker says how they are written, and which key is wanted', async () => {
    const { json } = await own.api.connections('repos');
    expect(json).toMatchObject({
      secret_fields: [
        { name: 'appId', kind: 'text' },
        { name: 'privateKey', kind: 'pem', key: { algorithm: 'RS256' } },
      ],
      subjects: { system: false, users: { key: 'installations', words: 'an installation id: a positive integer' } },
    });
  });

  it('a key that does not fit RS256 is named, and nothing is sent', async () => {
    const before = github.logins.length;
    const failed = await own.api.token('misfit', '101');
    expect(gistOf(failed)).toBe('503 secret_invalid');
    expect(failed.json['detail']).toContain(
      'has a key in `privateKey` that does not fit RS256, which takes an RSA key',
    );
    expect(github.logins.length).toBe(before);
  });
});

describe('a Google service account: its key file is the secret as it was downloaded', async () => {
  const key = rsaKey();
  const email = 'broker@demo-project.iam.gserviceaccount.com';
  const keyFile = {
    type: 'service_account',
    project_id: 'demo-project',
    private_key_id: '0123456789abcdef',
    private_key: key.pkcs8,
    client_email: email,
    client_id: '104711',
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: 'https://oauth2.googleapis.com/token',
    auth_provider_x509_cert_url: 'https://www.googleapis.com/oauth2/v1/certs',
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
    universe_domain: 'googleapis.com',
  };
  const google = await startGoogle({ email, key, users: ['me@example.com'] });
  const { baseUrl, caCertificate } = google;
  const own = await startOwnBroker({
    connections: {
      drive: {
        ...{ provider: 'google-service-account', baseUrl, caCertificate, memorySeconds: 0, proxy },
        scope: ['https://www.googleapis.com/auth/drive', 'openid'],
        tokenHost: new URL(baseUrl).host,
      },
    },
    secrets: { drive: keyFile },
  });
  afterAll(async () => {
    await own.close();
    await google.close();
  });

  it('logs in as itself and as a user, and each token opens the API as that one', async () => {
    for (const subject of ['system', 'me@example.com']) {
      const handOut = await own.api.token('drive', subject);
      expect(gistOf(handOut)).toBe('200 login');
      expect(handOut.json).toMatchObject({ token_type: 'Bearer', subject });
      const proxied = await send(`${own.broker.url}/proxy/drive/${subject}/drive/v3/files`);
      expect(proxied.json).toEqual({ user: subject });
    }
    expect(google.logins).toEqual(['system', 'me@example.com']);
  });

  it('a user whose domain has not delegated is refused alone, with what is to be done', async () => {
    const failed = await own.api.token('drive', 'you@example.com');
    expect(gistOf(failed)).toBe('502 upstream_subject_rejected');
    expect(failed.json['detail']).toMatch(/It said: "Client is unauthorized\."\. .*Admin console/);
    expect((await own.api.purge('drive', 'system')).status).toBe(204);
    expect(gistOf(await own.api.token('drive', 'system'))).toBe('200 login');
  });

  it('a key file whose line breaks were lost in an editor is taken too', async () => {
    const private_key = keyFile.private_key.replaceAll('\n', '\\n');
    await own.writeSecrets({ drive: { ...keyFile, private_key } });
    await waitUntil('a login with the new version', async () => {
      await own.api.purge('drive', 'system');
      return gistOf(await own.api.token('drive', 'system')) === '200 login' ? true : undefined;
    });
  });

  it('prints nothing of the key', () => {
    const printed = `${own.broker.stdout()}${own.broker.stderr()}`;
    for (const line of keyFile.private_key.split('\n').slice(1, -2)) expect(printed).not.toContain(line);
  });
});
