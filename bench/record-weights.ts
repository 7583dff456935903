import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunction } from './cold/bundles.ts';
import { weightOf } from './cold/weight.ts';

/** The functions that are deployed, by folder. */
export const DEPLOYED = ['token', 'mint', 'proxy', 'refresh', 'connections', 'exchange', 'rotation'] as const;

/** Bytes of one function's bundle: all, what is loaded eagerly, and what fills that, by package. */
export interface RecordedWeight {
  readonly total: number;
  readonly eager: number;
  readonly eagerBy: Readonly<Record<string, number>>;
}

/** Bundles every deployed function as it is deployed and weighs it. */
export function weighDeployed(): Readonly<Record<string, RecordedWeight>> {
  const folder = mkdtempSync(join(tmpdir(), 'token-broker-weights-'));
  try {
    return Object.fromEntries(
      DEPLOYED.map((name) => {
        const { total, eager, eagerBy } = weightOf(bundleFunction(name, join(folder, name)).metafile);
        return [name, { total, eager, eagerBy: Object.fromEntries(eagerBy) }];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// Run by hand, when a bundle is meant to weigh more: the budget is what was recorded last.
if (import.meta.main) {
  writeFileSync(
    join(import.meta.dirname, '..', 'test', 'bench', 'weights.json'),
    `${JSON.stringify(weighDeployed(), undefined, 2)}\n`,
  );
}
