import { describe, expect, it } from 'vitest';
import type { End } from '../../../../functions/core/slot/provider.ts';
import { readLife } from '../../../../functions/providers/engine/lifetime.ts';
import { connectionOf, providerWith } from '../provider-harness.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const connection = connectionOf('any', 'https://upstream.example', { provider: providerWith() });
const tokenEnding = (exp: unknown) => `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.sig`;

function lifeBy(as: Extract<End, { value: string }>['as'], text: string) {
  return readLife([{ value: 'end', as }], { end: text }, connection);
}

describe('the end of a token', () => {
  it.each([
    ['seconds', '600', { seconds: 600 }],
    ['seconds', '600.25', { seconds: 600.25 }],
    ['seconds', '3599.999999999999', { seconds: 3599.999999999999 }],
    ['seconds', ' 600 ', { seconds: 600 }],
    ['minutes', '30', { seconds: 1800 }],
    ['minutes', '0.5', { seconds: 30 }],
    ['milliseconds', '600000', { seconds: 600 }],
    ['milliseconds', '1500', { seconds: 1.5 }],
    ['date', '2026-01-02T03:04:05Z', { exp: AT }],
    ['date', '2026-01-02T04:04:05+01:00', { exp: AT }],
    ['date', '2026-01-02T03:04:05', { exp: AT }],
    ['date', '2026-01-02 03:04:05', { exp: AT }],
    ['date', 'Fri, 02 Jan 2026 03:04:05 GMT', { exp: AT }],
    ['epoch-seconds', '1767323045', { exp: AT }],
    ['epoch-seconds', '1767323045000', { exp: AT }],
    ['epoch-milliseconds', '1767323045000', { exp: AT }],
  ] as const)('in %s is read: %s', (as, text, life) => {
    expect(lifeBy(as, text)).toEqual({ life });
  });

  it.each([
    ['seconds', 'soon'],
    ['seconds', '0'],
    ['seconds', '-5'],
    ['seconds', '0x10'],
    ['seconds', 'true'],
    ['seconds', 'Infinity'],
    ['seconds', '1e+21'],
    ['minutes', '30 min'],
    ['milliseconds', 'NaN'],
    ['date', '1767323045'],
    ['date', 'in an hour'],
    ['date', '2026-13-02T03:04:05Z'],
    ['epoch-seconds', '2026-01-02T03:04:05Z'],
    ['epoch-milliseconds', '0'],
  ] as const)('in %s that cannot be read is a warning that quotes nothing: %s', (as, text) => {
    const { life, warning } = lifeBy(as, text);
    expect(life).toEqual({});
    expect(warning).toContain('`end`');
    expect(warning).toContain('not in a form that can be read');
    expect(warning).not.toContain(text);
  });

  it.each([undefined, '', ' '])('that is not said is no warning: %j', (end) => {
    expect(readLife([{ value: 'end', as: 'seconds' }], { end }, connection)).toEqual({ life: {} });
  });

  it('may be now for a token that is given again until its end', () => {
    const reissuing = connectionOf('any', 'https://upstream.example', {
      provider: providerWith({ limits: { reissues: true } }),
    });
    const lifeOf = (as: Extract<End, { value: string }>['as']) =>
      readLife([{ value: 'end', as }], { end: '0' }, reissuing);
    expect(lifeOf('seconds')).toEqual({ life: { seconds: 0 } });
    expect(lifeOf('epoch-seconds').life).toEqual({});
  });

  it('is the `exp` of a JWT (H12)', () => {
    const ends = [{ jwt: 'token' }] as const;
    expect(readLife(ends, { token: tokenEnding(AT / 1000) }, connection)).toEqual({ life: { exp: AT } });
    for (const exp of ['soon', 0, true, {}]) {
      const { life, warning } = readLife(ends, { token: tokenEnding(exp) }, connection);
      expect(life).toEqual({});
      expect(warning).toContain('`exp`');
    }
  });

  it.each([tokenEnding(undefined), tokenEnding(null), 'opaque', ''])('is not said by %j (H13)', (token) => {
    expect(readLife([{ jwt: 'token' }], { token }, connection)).toEqual({ life: {} });
  });

  it('is a life that is always the same, or that the connection says', () => {
    expect(readLife([{ seconds: 900 }], {}, connection)).toEqual({ life: { seconds: 900 } });
    expect(readLife([{ setting: 'lifetimeSeconds' }], {}, connection)).toEqual({ life: {} });
    const fixed = { ...connection, lifetimeSeconds: 1200 };
    expect(readLife([{ setting: 'lifetimeSeconds' }], {}, fixed)).toEqual({ life: { seconds: 1200 } });
  });

  it('is the first of a list that can be read', () => {
    const ends = [
      { value: 'life', as: 'seconds' },
      { jwt: 'token' },
      { seconds: 60 },
    ] as const satisfies readonly End[];
    const token = tokenEnding(AT / 1000);
    expect(readLife(ends, { life: '600', token }, connection)).toEqual({ life: { seconds: 600 } });
    expect(readLife(ends, { token }, connection)).toEqual({ life: { exp: AT } });
    expect(readLife(ends, { token: 'opaque' }, connection)).toEqual({ life: { seconds: 60 } });
  });

  it('warns of each that is there and cannot be read before the one that can', () => {
    const ends = [
      { value: 'life', as: 'seconds' },
      { jwt: 'token' },
      { seconds: 60 },
    ] as const satisfies readonly End[];
    const { life, warning } = readLife(ends, { life: 'soon', token: tokenEnding('soon') }, connection);
    expect(life).toEqual({ seconds: 60 });
    expect(warning).toContain('(`life`, `exp`)');
  });

  it('is unknown where a provider says nothing of it', () => {
    expect(readLife(undefined, { token: tokenEnding(AT) }, connection)).toEqual({ life: {} });
    expect(readLife([], {}, connection)).toEqual({ life: {} });
  });
});
