import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isVoid, markdownOf } from '../../bench/report.ts';
import { ratioOf, runRounds, spread } from '../../bench/rounds.ts';

const QUICK_MS = 180_000;

describe('npm run bench', () => {
  it('runs every part on loopback, ends by itself, and writes a table and its pictures', {
    timeout: QUICK_MS,
  }, async () => {
    const results = await mkdtemp(join(tmpdir(), 'token-broker-results-'));
    try {
      const run = join(import.meta.dirname, '..', '..', 'bench', 'run.ts');
      await promisify(execFile)(process.execPath, [run, '--quick', '--results', results], { timeout: QUICK_MS });
      const table = await readFile(join(results, 'results.md'), 'utf8');
      for (const part of ['Cold', 'Warm', 'Over HTTP', 'Agent', 'First token', 'Herd', 'Refresh', 'Memory', 'Money']) {
        expect(table).toContain(`## ${part}`);
      }
      expect(table).toMatch(/\*\*Commit\*\*: \S/);
      for (const picture of ['results.svg', 'herd.svg'])
        expect(await readFile(join(results, picture), 'utf8')).toMatch(/^<svg [\s\S]*<rect [\s\S]*<\/svg>\n$/);
      expect(table).toContain('](herd.svg)');
    } finally {
      await rm(results, { recursive: true });
    }
  });
});

describe('the rounds of a benchmark', () => {
  it('measure everything in turn, forwards and backwards, and drop the first round', async () => {
    const order: string[] = [];
    const measure = (name: string) => ({ name, measure: () => ({ at: order.push(name) }) });
    const rounds = await runRounds([measure('a'), measure('b')], 2);

    expect(order).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
    expect(rounds.get('a')).toEqual([{ at: 4 }, { at: 5 }]);
  });

  it('compare within a round, so that a machine that gets slower changes no ratio', async () => {
    const costs = { twice: [0, 20, 200, 2_000], once: [0, 10, 100, 1_000] };
    const slowing = (name: keyof typeof costs) => ({ name, measure: () => ({ cpu: costs[name].shift() ?? 0 }) });
    const rounds = await runRounds([slowing('twice'), slowing('once')], 3);

    expect(ratioOf(rounds, 'twice', 'once', 'cpu')).toEqual({ median: 2, low: 2, high: 2 });
    expect(spread([100, 1, 2, 3, 4]).median).toBe(3);
  });

  it('make a part void that differs from itself, and say so beside each of its targets', () => {
    const section = {
      title: 'Warm',
      notes: [],
      tables: [],
      targets: [{ what: 'x', target: '≤ 1', measured: '0.5', met: true }],
    };
    expect(isVoid({ ...section, twin: 1.04 })).toBe(false);
    expect(isVoid({ ...section, twin: 0.94 })).toBe(true);
    expect(markdownOf([], [{ ...section, twin: 1.2 }])).toContain('yes (void)');
  });
});
