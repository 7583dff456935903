import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { main } from './cli.ts';

const OWN = fileURLToPath(new URL('needs.json', import.meta.url));

async function run(...args: readonly string[]) {
  const lines: string[] = [];
  return { code: await main(args, (line) => lines.push(line)), lines };
}

describe('coverage of APIs by providers', () => {
  it('says how many needs the engine covers, why it does not cover the others, and that nothing spoiled passes', async () => {
    const { code, lines } = await run(OWN, '--least', '15', '--spoil');

    expect(lines).toEqual([
      'not covered: own a signature over each API request: a signature over each API request',
      "not covered: own an algorithm of the vendor's own: a value computed otherwise: every third character",
      '15 of 17',
      expect.stringMatching(/^(2\d\d) of \1 spoiled providers caught$/),
    ]);
    expect(code).toBe(0);
  });

  it('fails where not all are covered, and nothing else was wanted', async () => {
    expect((await run(OWN)).code).toBe(1);
  });

  it.each([[], [OWN, OWN], [OWN, '--least', 'many'], [OWN, '--most']])('explains itself: %j', async (...args) => {
    expect(await run(...args)).toEqual({ code: 2, lines: [expect.stringContaining('coverage:providers -- FILE')] });
  });
});
