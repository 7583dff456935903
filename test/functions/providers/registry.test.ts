import { describe, expect, it } from 'vitest';
import { checkProvider } from '../../../functions/configuration/provider-rules.ts';
import { providerSchema } from '../../../functions/configuration/provider-schema.ts';
import { sharedKeys } from '../../../functions/configuration/schema.ts';
import { Secret } from '../../../functions/core/words/secret.ts';
import type { Provider } from '../../../functions/providers/provider.ts';
import { providerOf, providers } from '../../../functions/providers/registry.ts';
import { answeredBy, connectionOf, secretOf } from './provider-harness.ts';

const table: readonly (readonly [string, Provider])[] = Object.entries(providers);

describe('the table of providers', () => {
  it('finds a provider by name, and no member of any object', () => {
    expect(providerOf('helpmaster')).toBe(providers.helpmaster);
    for (const name of ['nobody', 'toString', '__proto__', 'constructor']) expect(providerOf(name)).toBeUndefined();
  });

  it('says what configuration has to know of the first two', () => {
    const { helpmaster, 'community-web-api': community } = providers;
    expect(Object.keys(helpmaster.logins)).toEqual(['system', 'user']);
    expect(Object.keys(community.logins)).toEqual(['system']);
    expect(Object.keys(helpmaster.secretFields)).toEqual(['apiKey']);
    expect(Object.keys(community.secretFields)).toEqual(['username', 'password']);
    expect(helpmaster.defaults.refreshAfter).toBe(0.8);
    expect(community.defaults).toMatchObject({ refreshAfter: 0.75, refreshAfterWithRenewal: 0.5 });
  });

  it('says which staff member a subject may be (H8)', () => {
    const { pattern, maximum, key } = providers.helpmaster.userSubject;
    const whole = new RegExp(`^(?:${pattern})$`, 'u');
    for (const pkid of ['1', '88', '2147483647']) expect(whole.test(pkid)).toBe(true);
    for (const other of ['0', '01', '-1', '1.5', ' 1', 'system', '', '12345678901'])
      expect(whole.test(other)).toBe(false);
    expect({ maximum, key }).toEqual({ maximum: 2_147_483_647, key: 'staff' });
  });

  it.each(table)('has in %s what an operator could have written', (_, provider) => {
    const parsed = providerSchema.safeParse(JSON.parse(JSON.stringify(provider)));
    expect(parsed.error?.issues).toBeUndefined();
    expect(checkProvider(provider, Object.keys(sharedKeys))).toEqual([]);
  });

  it.each(table)('gives in %s every enum a default that it allows', (_, { settings = {}, lifetime = [], defaults }) => {
    for (const { kind, values, default: byDefault } of Object.values(settings)) {
      if (kind === 'enum') expect(values).toContain(byDefault);
    }
    if (lifetime.some((end) => 'setting' in end)) expect(defaults?.lifetimeSeconds).toBeGreaterThan(0);
  });

  it('throws internal, and sends nothing, for what configuration never lets through', async () => {
    const { upstream, sent } = answeredBy({});
    const community = connectionOf('community-web-api', 'https://upstream.example');
    const helpmaster = connectionOf('helpmaster', 'https://upstream.example');
    const secret = secretOf({ username: 'u', password: 'p' });
    const attempt = { secret, timeoutMs: 1 };
    await expect(upstream.login({ ...attempt, connection: community, subject: '7' })).rejects.toMatchObject({
      code: 'internal',
      detail: expect.stringMatching(/connection desk .*kind of subject/),
    });
    const kept = { token: new Secret('t'), values: {}, closed: undefined };
    await expect(
      upstream.renew({ ...attempt, ...kept, connection: helpmaster, subject: 'system' }),
    ).rejects.toMatchObject({ code: 'internal', detail: expect.stringMatching(/connection desk .*cannot renew/) });
    expect(sent).toEqual([]);
  });
});
