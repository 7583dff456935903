import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import connections from '../../cdk/connections.ts';
import { resolveConnections } from '../../functions/configuration/check.ts';
import type { Provider, Setting } from '../../functions/core/slot/provider.ts';
import { isProxyOnly } from '../../functions/providers/names.ts';
import { providers } from '../../functions/providers/registry.ts';
import { buildConnectionsSchema } from '../../local/connections-schema.ts';
import { tokenBroker } from '../client/command-line.ts';
import { readPage } from '../docs/repository.ts';

const schema = buildConnectionsSchema();
const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
const faultsOf = (file: unknown) => {
  validate(file);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};
const presets = Object.entries<Provider>(providers);
const baseUrl = 'https://api.example.com';
const desk = { provider: 'helpmaster', baseUrl };

const settingOf = ({ kind, values = [] }: Setting) => {
  if (kind === 'enum') return values[0];
  return { text: 'acme', host: 'acme.example.com', path: '/path', list: ['a', 'b'] }[kind];
};

/** A connection of a preset with every setting, under a name of a provider. */
function connectionOf(name: string, provider: Provider) {
  const settings = Object.entries(provider.settings ?? {}).map(([key, setting]) => [key, settingOf(setting)]);
  return { provider: name, baseUrl, ...Object.fromEntries(settings), ...(isProxyOnly(provider) && { proxy: {} }) };
}

describe('the JSON Schema of a connections file', () => {
  it('is the file in the repository: `npm run schema` writes it', async () => {
    const file = await readFile(new URL('../../connections.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it('is printed by the command line', async () => {
    const { code, stdout } = await tokenBroker(['schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it('takes the connections that are deployed as an example, with a `$schema`', () => {
    const file = { $schema: './connections.schema.json', ...connections };
    expect(faultsOf(file)).toEqual([]);
    expect(() => resolveConnections(file)).not.toThrow();
  });

  it('takes the example of the page about providers', () => {
    const [, example = ''] = /```json\n(.*?)```/s.exec(readPage('docs/providers.md')) ?? [];
    expect(faultsOf(JSON.parse(example))).toEqual([]);
  });

  it.each(presets)('takes the preset %s, also as a provider of the operator’s own', (name, provider) => {
    const own = { providers: { own: provider }, connections: { desk: connectionOf('own', provider) } };
    for (const file of [own, { connections: { desk: connectionOf(name, provider) } }]) {
      expect(faultsOf(file)).toEqual([]);
      expect(() => resolveConnections(file)).not.toThrow();
    }
  });

  it.each<[string, unknown]>([
    ['no connections', {}],
    ['another key of the file', { connections: { desk }, connection: {} }],
    ['a name that none can have', { connections: { Desk: desk } }],
    ['a connection without a base URL', { connections: { desk: { provider: 'helpmaster' } } }],
    ['a key that no connection of a preset has', { connections: { desk: { ...desk, minTtl: 5 } } }],
    ['a setting of another preset', { connections: { desk: { ...desk, tenant: 'acme' } } }],
    ['a required setting left out', { connections: { desk: { provider: 'entra-client-secret', baseUrl } } }],
    ['a number that is too large', { connections: { desk: { ...desk, timeoutSeconds: 13 } } }],
    ['half a second', { connections: { desk: { ...desk, minTtlSeconds: 0.5 } } }],
    ['a key that no step has', own({ logins: { system: [{ url: '/', jsn: {} }] } })],
    ['an end in unknown units', own({ lifetime: [{ value: 'end', as: 'hours' }] })],
    ['a meaning that there is not', own({ answers: [{ status: [400], means: 'no' }] })],
    ['a trust entry without an issuer', { connections: { desk }, trust: [{ audience: 'a' }] }],
  ])('refuses %s, as the broker does', (_, file) => {
    expect(faultsOf(file)).not.toEqual([]);
    expect(() => resolveConnections(file)).toThrow();
  });

  it('explains keys', () => {
    expect(schema).toMatchObject({
      properties: {
        connections: {
          additionalProperties: { properties: { minTtlSeconds: { description: expect.stringContaining('Seconds') } } },
        },
        strictAudit: { description: expect.stringContaining('audit record') },
      },
    });
  });
});

/** A file with a provider that is changed so. */
function own(change: object): unknown {
  const provider = {
    secretFields: { key: {} },
    logins: { system: [{ url: '/', reads: { token: { in: 'body', path: ['t'] }, end: { in: 'body', path: ['e'] } } }] },
    placement: { headers: { 'X-Token': '{token}' } },
    ...change,
  };
  return { providers: { own: provider }, connections: { desk: { provider: 'own', baseUrl } } };
}
