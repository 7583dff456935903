import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildBroker } from './broker.ts';
import { buildClient } from './client.ts';
import { root } from './manifest.ts';

const run = promisify(execFile);
const isWindows = process.platform === 'win32';

/** Where the packed files are. */
export const PACKAGES = join(root.folder, 'dist/packages');

/** Builds both packages and packs them; gives the paths of the packed files. */
export async function buildPackages(): Promise<{ readonly broker: string; readonly client: string }> {
  await mkdir(PACKAGES, { recursive: true });
  await Promise.all([buildBroker(join(PACKAGES, 'broker')), buildClient(join(PACKAGES, 'client'))]);
  const [broker, client] = await Promise.all([pack('broker'), pack('client')]);
  return { broker, client };
}

async function pack(name: string): Promise<string> {
  const words = ['pack', `./${name}`, '--json', '--ignore-scripts'];
  const { stdout } = await run('npm', words, { cwd: PACKAGES, shell: isWindows });
  const [packed]: readonly { readonly filename: string }[] = JSON.parse(stdout);
  if (packed === undefined) throw new Error(`npm packed nothing of ${name}.`);
  return join(PACKAGES, packed.filename);
}

if (import.meta.main) {
  const { broker, client } = await buildPackages();
  process.stdout.write(`${broker}\n${client}\n`);
}
