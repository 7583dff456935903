import { describe, expect, it } from 'vitest';
import { type Sums, workOutCosts } from '../../bench/money/costs.ts';
import { ASSUMED, CEILINGS, PRICES } from '../../bench/money/prices.ts';
import exampleConnections from '../../cdk/connections.ts';
import { deployed } from '../cdk/deployed.ts';
import { readPage } from './repository.ts';

const { template } = deployed({ connections: exampleConnections.connections });

const { table, sums } = workOutCosts({ Resources: template.toJSON()['Resources'] });

/** The figures that a page quotes, by a pattern whose groups are named like the sums. */
function quotedIn(page: string, pattern: RegExp): Readonly<Record<string, string>> {
  const found = pattern.exec(readPage(page))?.groups;
  if (found === undefined) throw new Error(`${page} no longer quotes what the broker costs as ${pattern}.`);
  return found;
}

function textOf(name: keyof Sums): string {
  return sums[name].toFixed(2);
}

describe('what the broker costs', () => {
  it('is in the page on deploying as worked out from prices and template', () => {
    const page = readPage('docs/deploying.md').replace(/ *\| */g, '|');
    for (const row of table.split('\n')) {
      if (row.startsWith('| ---')) continue;
      expect(page, `docs/deploying.md should have:\n\n${table}\n`).toContain(row.replace(/ *\| */g, '|'));
    }
    expect(page).toContain(`Prices of ${PRICES.region}, ${PRICES.date}`);
  });

  it('has nothing beside the table in the page on deploying', () => {
    const [, section = ''] = readPage('docs/deploying.md').split('## What it costs\n');
    const [own = ''] = section.split('\n## ');
    const rows = own.split('\n').filter((line) => line.startsWith('|'));
    expect(rows).toHaveLength(table.split('\n').length);
  });

  it('is alike in every page that quotes it', () => {
    const readme = quotedIn(
      'README.md',
      /\$(?<idle>[\d.]+) a month idle, \$(?<idleFree>[\d.]+) with [^.]*?, \$(?<connection>[\d.]+) a connection .*?, and \$(?<million>[\d.]+) for a million/,
    );
    const { idle, idleFree, connection, million } = readme;
    expect({ idle, idleFree, connection, million }).toEqual({
      idle: textOf('idle'),
      idleFree: textOf('idleFree'),
      connection: textOf('connection'),
      million: textOf('million'),
    });
    const target = /A million hand-outs, each from the store, in dollars \| ≤ (?<ceiling>\S+) \| (?<million>\S+) \|/;
    for (const page of ['docs/performance.md', 'bench/results/results.md']) {
      const quoted = quotedIn(page, target);
      expect(quoted['million'], page).toBe(textOf('million'));
      expect(quoted['ceiling'], page).toBe(String(CEILINGS.million));
    }
  });

  it('counts functions of the size and kind that the stack makes', () => {
    const functions = Object.values(template.findResources('AWS::Lambda::Function'));
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({ MemorySize: ASSUMED.memoryGigabytes * 1_024, Architectures: ['arm64'] });
      expect(Properties).not.toHaveProperty('TracingConfig');
    }
    template.resourceCountIs('AWS::ApiGateway::RestApi', 1);
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', { BillingMode: 'PAY_PER_REQUEST' });
  });

  it('is within its targets', () => {
    for (const name of ['million', 'idle', 'connection', 'metrics'] as const) {
      expect(sums[name], name).toBeLessThanOrEqual(CEILINGS[name]);
    }
    expect(table).not.toContain('not met');
  });
});
