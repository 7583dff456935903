import { describe, expect, it } from 'vitest';
import { purgeCommand } from '../../client/cli/commands/purge.ts';
import { resolveConnections } from '../../functions/configuration/check.ts';
import { keysOf } from '../../functions/configuration/schema.ts';
import { trustEntry } from '../../functions/configuration/trust.ts';
import type { Provider } from '../../functions/core/slot/provider.ts';
import { providers } from '../../functions/providers/registry.ts';
import { connectionOf, helpdesk, refusalOf, wfm } from '../functions/configuration/declared.ts';
import { readPage } from './repository.ts';

/** The page's tables of keys, in order: each row's keys, and what it says as the default of each. */
const [connectionRows = [], proxyRows = [], trustRows = []] = readPage('docs/configuration.md')
  .split(/^\| key .*\n/m)
  .slice(1)
  .map((table) => (table.split('\n\n')[0] ?? '').split('\n').slice(1).flatMap(rowsIn));

/** A line may have several keys, with a default each or one for all. */
function rowsIn(line: string) {
  const [, first = '', , last = ''] = line.split('|').map((cell) => cell.trim().replaceAll(/[<>]/g, ''));
  const keys = [...first.matchAll(/`([^`]+)`/g)].map(([, key = '']) => key);
  const said = last.replaceAll('`', '').split(', ');
  return keys.map((key, index) => ({ key, said: said.length === keys.length ? said[index] : said.join(', ') }));
}

/** Other presets have settings of their own, on a page of theirs. */
const described = ['helpmaster', 'community-web-api'] as const;

const least = described.flatMap((provider) => {
  const { connections, trust } = resolveConnections({
    connections: { connection: { provider, baseUrl: 'https://api.example.com', proxy: {} } },
    trust: [{ issuer: 'https://idp.example.com', audience: 'a', subject: 's', connections: ['connection'] }],
  });
  return Object.values(connections).map((connection) => ({ connection, trust }));
});
const empty = refusalOf({ connections: { a: {} }, trust: [{}] }).problems.map(({ path }) => path.split('.').at(-1));
const required = new Set(empty);

const tables = [
  {
    of: 'a connection',
    rows: connectionRows,
    keys: new Set(described.flatMap((name) => keysOf(providers[name]))),
    // The defaults of these keys depend on other keys.
    resolved: least.map(({ connection }) => ({ ...connection, ...connection.settings, proxy: undefined })),
    dependent: ['refreshAfter', 'idleSeconds', 'subjects'],
  },
  {
    of: 'a proxy',
    rows: proxyRows,
    keys: Object.keys(connectionOf({ ...helpdesk, proxy: {} }).proxy ?? {}),
    resolved: least.map(({ connection }) => connection.proxy),
    dependent: [],
  },
  {
    of: 'a trust entry',
    rows: trustRows,
    keys: Object.keys(trustEntry.shape),
    resolved: least.flatMap(({ trust }) => trust),
    dependent: [],
  },
];

describe('the page on configuration', () => {
  it.each(tables)('has every key of $of, and no other', ({ rows, keys }) => {
    expect(rows.map(({ key }) => key).sort()).toEqual([...keys].sort());
  });

  const rows = tables.flatMap(({ rows, resolved, dependent }) =>
    rows.filter(({ key }) => !dependent.some((name) => name === key)).map((row) => ({ ...row, resolved })),
  );

  it.each(rows)('gives $key its default', ({ key, said, resolved }) => {
    const values = resolved.flatMap((record) => Object.entries(record ?? {}).filter(([name]) => name === key));
    const [value] = values.map(([, each]) => each).filter((each) => each !== undefined);
    const text = typeof value === 'string' ? value : JSON.stringify(value)?.replaceAll(',', ', ');

    if (required.has(key)) expect(said).toBe('required');
    else if (text === undefined) expect(said).toMatch(/^(?:none|absent|found)/);
    else expect(said?.replace(', every path', '')).toBe(text);
  });

  it('gives the defaults that depend on other keys', () => {
    const said = new Map(connectionRows.map((row) => [row.key, row.said]));
    const [help, community, sliding] = [helpdesk, wfm, { ...wfm, keepAlivePath: '/x' }].map(connectionOf);
    const own = Object.entries<Provider>(providers).filter(([, { defaults }]) => defaults?.refreshAfter !== undefined);

    expect(own.map(([name]) => name)).toEqual(described);
    expect(said.get('refreshAfter')).toBe(
      `${community?.refreshAfter}; helpmaster ${help?.refreshAfter}; community with keepAlivePath ${sliding?.refreshAfter}`,
    );
    expect(said.get('idleSeconds')).toBe(`the larger of ${community?.idleSeconds} and one life`);
  });

  it('agrees with what `token-broker purge --help` says of memory', () => {
    expect(purgeCommand.notes?.join(' ')).toContain(`memorySeconds (${connectionOf(helpdesk).memorySeconds})`);
  });
});
