import { describe, expect, it } from 'vitest';
import { fieldsByProvider } from '../../../client/cli/secrets.ts';
import { STAFF_PROVIDER } from '../../../client/dashboard/dashboard.ts';
import { defaultRefreshAfter, kindsServedBy, secretFieldsOf } from '../../../functions/providers/provider.ts';
import { providerOf, providers } from '../../../functions/providers/registry.ts';
import { answeredBy, connectionOf, secretOf } from './provider-harness.ts';

describe('the table of providers', () => {
  it('finds a provider by name, and no member of any object', () => {
    expect(providerOf('helpmaster')).toBeDefined();
    for (const name of ['nobody', 'toString', '__proto__', 'constructor']) expect(providerOf(name)).toBeUndefined();
  });

  it('says what configuration has to know', () => {
    const { helpmaster, 'community-web-api': community } = providers;
    if (helpmaster === undefined || community === undefined) throw new Error('a provider is missing');
    expect(kindsServedBy(helpmaster)).toEqual({ system: true, staff: true });
    expect(kindsServedBy(community)).toEqual({ system: true, staff: false });
    expect(secretFieldsOf(helpmaster)).toEqual(['apiKey']);
    expect(secretFieldsOf(community)).toEqual(['username', 'password']);
    expect(defaultRefreshAfter(helpmaster, {})).toBe(0.8);
    expect(defaultRefreshAfter(community, {})).toBeUndefined();
    expect(defaultRefreshAfter(community, { keepAlivePath: '/x' })).toBe(0.5);
  });

  const logins = Object.entries(providers).flatMap(([name, provider]) =>
    Object.keys(provider.logins).map((kind) => ({ name, provider, kind })),
  );

  it.each(logins)('has in $name, $kind, no name that is not declared', async ({ name, provider, kind }) => {
    const secret = secretOf(Object.fromEntries(secretFieldsOf(provider).map((field) => [field, 'value'])));
    const { upstream, sent } = answeredBy({});
    const connection = connectionOf(name, 'https://upstream.example');
    const subject = kind === 'system' ? 'system' : '7';
    await upstream.login({ connection, subject, secret, timeoutMs: 1 });
    expect(sent).toHaveLength(1);
  });

  it.each(Object.entries(providers))('in %s gives every enum a default that it allows', (_, provider) => {
    for (const setting of Object.values(provider.settings)) {
      if (setting.kind === 'enum') expect(setting.values).toContain(setting.default);
    }
    if (provider.lifetime.from === 'setting') expect(provider.defaults.lifetimeSeconds).toBeGreaterThan(0);
    // A slide has no body that seconds could be read from.
    if (provider.slide !== undefined) expect(provider.lifetime.from).not.toBe('body');
  });

  it('throws internal, and sends nothing, for what configuration never lets through', async () => {
    const { upstream, sent } = answeredBy({});
    const unknown = { ...connectionOf('helpmaster', 'https://upstream.example'), provider: 'nobody' };
    const community = connectionOf('community-web-api', 'https://upstream.example');
    const secret = secretOf({ username: 'u', password: 'p' });
    const attempt = { secret, timeoutMs: 1 };
    await expect(upstream.login({ ...attempt, connection: unknown, subject: 'system' })).rejects.toMatchObject({
      code: 'internal',
      detail: expect.stringMatching(/connection desk .*no provider/),
    });
    await expect(upstream.login({ ...attempt, connection: community, subject: '7' })).rejects.toMatchObject({
      code: 'internal',
      detail: expect.stringMatching(/connection desk .*kind of subject/),
    });
    await expect(
      upstream.slide({ connection: community, subject: 'system', token: secret, timeoutMs: 1 }),
    ).rejects.toMatchObject({
      code: 'internal',
      detail: expect.stringMatching(/connection desk .*nothing to slide with/),
    });
    expect(sent).toEqual([]);
  });
});

// The client is delivered without the functions, and so repeats what it has to know of the providers.
describe('the copies of the table in the client', () => {
  it('name the fields of every provider’s secret', () => {
    const fields = Object.entries(providers).map(([name, provider]) => [name, secretFieldsOf(provider)]);
    expect(fieldsByProvider).toEqual(Object.fromEntries(fields));
  });

  it('name the one provider that serves staff', () => {
    const servingStaff = Object.entries(providers).filter(([, provider]) => kindsServedBy(provider).staff);
    expect(servingStaff.map(([name]) => name)).toEqual([STAFF_PROVIDER]);
  });
});
