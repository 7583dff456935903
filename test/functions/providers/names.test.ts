import { describe, expect, it } from 'vitest';
import type { Provider } from '../../../functions/core/slot/provider.ts';
import {
  isProxyOnly,
  keptNames,
  namesInDerived,
  namesInPlacement,
  namesInStep,
  namesToken,
  secretNames,
  stepsOf,
  textsIn,
} from '../../../functions/providers/names.ts';
import { BEARER, body, header } from '../../../functions/providers/provider.ts';
import { providerWith } from './provider-harness.ts';

describe('the names of a provider', () => {
  it('are those that a request fills in, wherever they stand', () => {
    const named = namesInStep({
      url: '/{a}',
      query: { q: '{b}' },
      headers: { h: 'x {c}' },
      basic: { user: '{d}', password: '{e}' },
      json: { deep: [{ er: '{f}' }, { number: '{g}' }, 7, null] },
      form: { f: '{h}' },
      xml: '<x>{i}</x>',
      parameters: { as: '{j}', of: { p: '{k}' } },
      certificate: { cert: '{l}', key: '{m}' },
      reads: { n: body('{n}') },
      hosts: ['{o}'],
    });
    expect([...named].sort()).toEqual([...'abcdefghijklm']);
  });

  it('are those that a derived value is made of', () => {
    expect(namesInDerived({ text: '{a}{b}' })).toEqual(['a', 'b']);
    expect(namesInDerived({ base64: '{a}' })).toEqual(['a']);
    const jwt = { alg: 'ES256', key: '{a}', header: { kid: '{b}' }, claims: { sub: ['{c}'] }, lifeSeconds: 1 } as const;
    expect(namesInDerived({ jwt })).toEqual(['a', 'b', 'c']);
    expect(namesInDerived({ digest: 'sha1', of: '{a}', key: '{b}', as: 'hex' })).toEqual(['a', 'b']);
    expect(namesInDerived({ publicKeyOf: '{a}', as: 'hex' })).toEqual(['a']);
    expect(namesInDerived({ thumbprintOf: '{a}', as: 'hex' })).toEqual(['a']);
    expect(namesInDerived({ time: 'iso' })).toEqual([]);
    expect(namesInDerived({ random: 'uuid' })).toEqual([]);
  });

  it('are those of an API call, its certificate aside', () => {
    const certificate = { cert: '{d}', key: '{e}' };
    expect(namesInPlacement({ headers: { a: '{a}' }, query: { b: '{b}' }, baseUrl: '{c}', certificate })).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('stand in texts, not in the names of members', () => {
    expect(textsIn({ '{a}': '{b}', list: ['{c}', 1, true, null] })).toEqual(['{b}', '{c}']);
    expect(textsIn(undefined)).toEqual([]);
  });
});

describe('the steps of a provider', () => {
  it('are those of logins, renewal, probe and logout, each with where it stands', () => {
    const step = (url: string) => ({ url });
    const provider = providerWith({
      logins: { system: [step('/1'), step('/2')], user: [step('/3')] },
      renewal: { refresh: [step('/4')] },
      probe: step('/5'),
      logout: step('/6'),
    });
    expect(stepsOf(provider).map(({ at, step: { url } }) => `${at.join('.')} ${url}`)).toEqual([
      'logins.system.0 /1',
      'logins.system.1 /2',
      'logins.user.0 /3',
      'renewal.refresh.0 /4',
      'probe /5',
      'logout /6',
    ]);
    const sliding = providerWith({ logins: {}, renewal: { slide: step('/7') } });
    expect(stepsOf(sliding)).toEqual([{ at: ['renewal', 'slide'], step: { url: '/7' } }]);
  });
});

describe('a secret name', () => {
  it('is a field of the secret or derived from one; the token is not', () => {
    const jwt = { alg: 'HS256', key: '{key}', claims: {}, lifeSeconds: 60 } as const;
    const derived = {
      time: { time: 'iso' },
      print: { digest: 'sha256', of: '{key}', as: 'hex' },
      signed: { text: '{time}.{print}' },
      open: { text: '{time}.{token}' },
      token: { jwt },
    } as const;
    expect([...secretNames(providerWith({ derived }))].sort()).toEqual(['id', 'key', 'print', 'signed']);
  });

  it('of a derived value is told apart from one that is made of the token', () => {
    const derived = {
      pair: { base64: '{site}:{token}' },
      twice: { text: '{pair}' },
      other: { text: '{site}' },
    } as const;
    expect(namesToken('pair', { derived })).toBe(true);
    expect(namesToken('twice', { derived })).toBe(true);
    expect(namesToken('other', { derived })).toBe(false);
    expect(namesToken('token', { derived: { token: { text: '{token}' } } })).toBe(false);
    expect(namesToken('nobody', {})).toBe(false);
  });
});

describe('values kept beside a token', () => {
  const settings = { tenant: { kind: 'text' } } as const;
  const kept = (change: Partial<Provider>) => keptNames(providerWith({ settings, ...change }));

  it('exclude names that are available anyway', () => {
    const headers = { ...BEARER, 'x-tenant': '{tenant}', 'x-subject': '{subject}', 'x-base': '{baseUrl}' };
    expect(kept({ placement: { headers } })).toEqual({ open: [], closed: [] });
  });

  it('are open if an answer gave them, and closed if they come from the credential', () => {
    const derived = { pair: { base64: '{id}:{key}' }, at: { time: 'iso' } } as const;
    const headers = { ...BEARER, 'x-key': '{key}', 'x-pair': '{pair}', 'x-site': '{site}', 'x-at': '{at}' };
    expect(kept({ derived, placement: { headers, query: { s: '{site}' }, baseUrl: '{api}' } })).toEqual({
      open: ['site', 'at', 'api'],
      closed: ['key', 'pair'],
    });
  });

  it('include the client certificate of API calls, closed', () => {
    const certificate = { cert: '{id}', key: '{key}' };
    expect(kept({ placement: { headers: BEARER, certificate } })).toEqual({ open: [], closed: ['id', 'key'] });
  });

  it('are closed if they renew the token or end the session', () => {
    const refresh = [{ url: '/{tenant}', form: { r: '{refresh}', id: '{id}', t: '{token}' } }];
    expect(kept({ renewal: { refresh } })).toEqual({ open: [], closed: ['refresh'] });
    const slide = { url: '{session}/ping', reads: { token: header('x') } };
    expect(kept({ renewal: { slide }, logout: { url: '/{session}/{csrf}' } }).closed).toEqual(['session', 'csrf']);
    const derived = { pair: { text: '{token}:{session}' }, outer: { base64: '{pair}' } } as const;
    expect(kept({ derived, logout: { url: '/{outer}' } }).closed).toEqual(['session']);
  });

  it('limit a provider to the proxy if an API call carries a part of the credential', () => {
    const certificate = { cert: '{id}', key: '{key}' };
    const derived = { print: { digest: 'sha1', of: '{key}', as: 'hex' } } as const;
    expect(isProxyOnly(providerWith())).toBe(false);
    expect(isProxyOnly(providerWith({ placement: { headers: { ...BEARER, site: '{site}' } } }))).toBe(false);
    expect(isProxyOnly(providerWith({ placement: { headers: { ...BEARER, key: '{key}' } } }))).toBe(true);
    expect(isProxyOnly(providerWith({ placement: { query: { key: '{key}' } } }))).toBe(true);
    expect(isProxyOnly(providerWith({ derived, placement: { headers: { print: '{print}' } } }))).toBe(true);
    expect(isProxyOnly(providerWith({ placement: { headers: BEARER, certificate } }))).toBe(true);
  });
});
