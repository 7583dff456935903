import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Priced } from '../../bench/money/costs.ts';
import { findCdk } from '../../cdk/assembly.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The size of the templates of many connections, and how long they took. */
export interface Synth {
  readonly connections: number;
  readonly seconds: number;
  readonly templates: number;
  readonly resources: number;
  readonly bytes: number;
  /** The bytes and resources of the largest template: CloudFormation takes a million, and 500. */
  readonly largest: { readonly bytes: number; readonly resources: number };
}

/** Synthesizes a broker of so many connections, each with functions of its own and a proxy, as `npm run synth` does. */
export function synthesize(connections: number): Synth {
  const folder = mkdtempSync(join(tmpdir(), 'token-broker-growth-'));
  try {
    const file = join(folder, 'connections.json');
    const one = { provider: 'helpmaster', baseUrl: 'https://helpmaster.internal.test', proxy: {} };
    const all = Object.fromEntries(Array.from({ length: connections }, (_, n) => [`connection-${n}`, one]));
    writeFileSync(file, JSON.stringify({ connections: all }));
    const began = performance.now();
    const { status } = spawnSync(
      process.execPath,
      [findCdk(ROOT) ?? 'cdk', 'synth', '--quiet', '--output', join(folder, 'out')],
      {
        cwd: ROOT,
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, TOKEN_BROKER_CONNECTIONS: file },
      },
    );
    const seconds = (performance.now() - began) / 1_000;
    if (status !== 0) throw new Error(`The synth of ${connections} connections failed.`);
    const sizes = templatesIn(join(folder, 'out'));
    const most = (of: (size: Size) => number) => Math.max(...sizes.map(of));
    const sum = (of: (size: Size) => number) => sizes.reduce((total, size) => total + of(size), 0);
    return {
      ...{ connections, seconds: Math.round(seconds * 10) / 10, templates: sizes.length },
      ...{ resources: sum(({ resources }) => resources), bytes: sum(({ bytes }) => bytes) },
      largest: { bytes: most(({ bytes }) => bytes), resources: most(({ resources }) => resources) },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Size {
  readonly bytes: number;
  readonly resources: number;
}

function templatesIn(folder: string): readonly Size[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.template.json'))
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const { Resources }: Priced = JSON.parse(text);
      return { bytes: Buffer.byteLength(text), resources: Object.keys(Resources).length };
    });
}
