import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { createTokenKey, type TokenKey } from './demo/token-key.ts';
import { StartError } from './start-error.ts';

const STATE_FILE = 'demo.json';
const OWNER_ONLY = 0o600;

const portSchema = z.int().min(1).max(65_535);
const keySchema = z.string().regex(/^[0-9a-f]{64}$/);
const stateSchema = z.strictObject({
  ports: z.strictObject({ helpmaster: portSchema, community: portSchema, oauth: portSchema, issuer: portSchema }),
  keys: z.strictObject({ helpmaster: keySchema, community: keySchema, oauth: keySchema, refresh: keySchema }),
});

type Ports = z.infer<typeof stateSchema>['ports'];
type KeyName = keyof z.infer<typeof stateSchema>['keys'];

/** State of the demo upstreams that the next start finds again: their ports, and the keys of their tokens. */
export interface DemoState {
  /** Ports of the start before; undefined at the first. */
  readonly ports: Ports | undefined;
  readonly keys: Readonly<Record<KeyName, TokenKey>>;
  /** Keeps the ports and the keys for the next start, and from now on each key that a revocation renews. */
  keep(ports: Ports): Promise<void>;
}

/**
 * Opens the demo's state in the file `demo.json` of `dataDir`; without a folder nothing is kept. Only `keep` writes the
 * file, once the broker has the folder for itself.
 * @throws StartError if the file is not one of these
 */
export async function openDemoState(dataDir: string | undefined): Promise<DemoState> {
  const path = dataDir === undefined ? undefined : join(dataDir, STATE_FILE);
  const known = path === undefined ? undefined : await readState(path);
  let ports: Ports | undefined;
  let writing = Promise.resolve();

  function write(): Promise<void> {
    if (path === undefined || ports === undefined) return writing;
    const text = JSON.stringify({
      ports,
      keys: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, hexOf(key)])),
    });
    // One after the other, so that the latest one stays.
    writing = writing.then(() => replaceFile(path, text));
    return writing;
  }
  const keyOf = (name: KeyName) =>
    createTokenKey(known === undefined ? undefined : Buffer.from(known.keys[name], 'hex'), () => {
      // The folder may be gone; the demo goes on.
      write().catch(() => undefined);
    });
  const keys = {
    helpmaster: keyOf('helpmaster'),
    community: keyOf('community'),
    oauth: keyOf('oauth'),
    refresh: keyOf('refresh'),
  };

  return {
    ports: known?.ports,
    keys,
    async keep(current) {
      ports = current;
      await write();
    },
  };
}

async function readState(path: string): Promise<z.infer<typeof stateSchema> | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StartError(`${path} cannot be read: choose a data folder that can.`);
  });
  if (text === undefined) return undefined;
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch {
    throw new StartError(`${path} is not what the demo upstreams keep: remove it, and they begin with new tokens.`);
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, text, { mode: OWNER_ONLY });
  await rename(draft, path);
}

function hexOf(key: TokenKey): string {
  return key.current().toString('hex');
}
