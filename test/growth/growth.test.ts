import { describe, expect, it } from 'vitest';
import { workOutCosts } from '../../bench/money/costs.ts';
import recorded from '../../bench/results/growth.json' with { type: 'json' };
import exampleConnections from '../../cdk/connections.ts';
import { deployed } from '../cdk/deployed.ts';
import { readPage } from '../docs/repository.ts';
import { tableOfDay } from './bill.ts';
import { type Company, drawUp, HOUR_MS } from './company.ts';
import { type Day, findBroken, runDay } from './day.ts';

const SMALL: Company = { callers: 200, connections: 2, subjects: 400, callsEach: 24 };

/** A day begins and ends in the midst of lives. */
const MARGIN = 0.03;

/** Logins that the lives of tokens imply: of staff, one each 0.75 to 0.8 of a day; of the others, one as work begins. */
function impliedLogins({ connections, subjects }: Company) {
  const others = connections / 2;
  const staff = subjects - others;
  return { least: (1 - MARGIN) * (staff / 0.8 + others), most: (1 + MARGIN) * (staff / 0.75 + others) };
}

function expectSound({ failed, broken, logins }: Day, company: Company): void {
  expect({ failed, broken }).toEqual({ failed: 0, broken: [] });
  const { least, most } = impliedLogins(company);
  expect(logins).toBeGreaterThanOrEqual(least);
  expect(logins).toBeLessThanOrEqual(most);
}

describe("a company's day", () => {
  it('is the same each time, with the logins that the lives of tokens imply and no invariant broken', async () => {
    const day = await runDay(SMALL, { holdMs: 0 });
    expectSound(day, SMALL);
    expect(day.asked).toBe(SMALL.callers * SMALL.callsEach);
    expect(await runDay(SMALL, { holdMs: 0 })).toEqual(day);
  });

  it('has the same logins and fewer hand-outs through the client', async () => {
    const day = await runDay(SMALL, { holdMs: HOUR_MS });
    expectSound(day, SMALL);
    expect(day.asked).toBeLessThan(day.calls);
    expect(day.alone.logins).toBeGreaterThan(day.logins);
  });

  it('notices two requests at once and a token renewed early', () => {
    const [[subject] = []] = drawUp(SMALL);
    if (subject === undefined) throw new Error('The company has no subject.');
    const { connection, subject: name } = subject.slot;
    const about = { connection, subject: name, kind: 'login', process: 'mint' } as const;
    const rest = { loginsReadAt: 0, loginsRead: undefined, clockAt: 0, timeoutMs: 0, fingerprint: '' };
    const login = (at: number, endedAt: number) => ({ ...about, ...rest, at, endedAt });
    expect(findBroken([login(0, 200), login(18 * HOUR_MS, 18 * HOUR_MS + 200)], [subject])).toEqual([]);
    expect(findBroken([login(0, 200), login(HOUR_MS, HOUR_MS)], [subject])).toEqual([`${connection}/${name}: early`]);
    expect(findBroken([login(0, 200), login(100, 300)], [subject])).toContain(
      `${connection}/${name}: two requests at once`,
    );
  });
});

describe('the figures of growth', () => {
  it('are of days as they should be', () => {
    for (const day of [recorded.asking, recorded.keeping]) expectSound(day, recorded.company);
  });

  it('are in the page on performance, with the prices of today', () => {
    const { template } = deployed({ connections: exampleConnections.connections });
    const { idle } = workOutCosts({ Resources: template.toJSON()['Resources'] }).sums;
    const table = tableOfDay(recorded, idle);
    const page = readPage('docs/performance.md');
    expect(page, `docs/performance.md should have:\n\n${table}\n`).toContain(table);
    const [, throughClient = ''] =
      table
        .split('\n')
        .at(-1)
        ?.match(/(?<=\*\*)[\d.]+(?=\*\*)/g) ?? [];
    expect(page).toContain(`| ${throughClient} $ a month, and`);
    const { connections, seconds, templates, resources, bytes, largest } = recorded.synth;
    const figure = (value: number) => value.toLocaleString('en-US');
    expect(page).toContain(
      `${connections} connections: ${seconds} s, ${templates} templates, ${figure(resources)} resources, ${figure(bytes)} bytes; the largest ${figure(largest.resources)} resources and ${figure(largest.bytes)} bytes`,
    );
  });
});
