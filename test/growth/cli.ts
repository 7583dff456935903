import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPANY, HOUR_MS } from './company.ts';
import { runDay } from './day.ts';
import { synthesize } from './synth.ts';

const RESULTS = join(import.meta.dirname, '..', '..', 'bench', 'results', 'growth.json');

/** Runs a company's day in virtual time, twice, and a synth of 100 connections; writes the figures that pages quote. */
async function main(): Promise<void> {
  const asking = await runDay(COMPANY, { holdMs: 0 });
  // As the client: at most an hour.
  const keeping = await runDay(COMPANY, { holdMs: HOUR_MS });
  const synth = synthesize(COMPANY.connections);
  writeFileSync(RESULTS, `${JSON.stringify({ company: COMPANY, asking, keeping, synth }, undefined, 2)}\n`);
  process.stdout.write(`Written to ${RESULTS}; \`vitest run test/growth\` says which table the docs should have.\n`);
}

await main();
