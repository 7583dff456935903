import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveKey, openMasterKey } from '../../local/master-key.ts';
import { StartError } from '../../local/start-error.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'master-key-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('openMasterKey', () => {
  it('makes a key that only its owner can read and gives the same at the next start', async () => {
    const folder = join(dataDir, 'new');
    const first = await openMasterKey({ dataDir: folder });

    expect(first).toHaveLength(32);
    expect(await openMasterKey({ dataDir: folder })).toEqual(first);
    expect((await stat(join(folder, 'local-kms.key'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['local-kms.key']);
  });

  it('gives two starts at once the same key', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => openMasterKey({ dataDir })));

    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(await readFile(join(dataDir, 'local-kms.key'))).toEqual(keys[0]);
    expect(await readdir(dataDir)).toEqual(['local-kms.key']);
  });

  it('gives another key at every start without a data folder', async () => {
    expect(await openMasterKey({})).not.toEqual(await openMasterKey({}));
  });

  it('refuses a file of another length and leaves it as it is', async () => {
    const path = join(dataDir, 'local-kms.key');
    await writeFile(path, 'short', { mode: 0o600 });

    await expect(openMasterKey({ dataDir })).rejects.toThrow(StartError);
    await expect(openMasterKey({ dataDir })).rejects.toThrow(/local-kms\.key is not a key of 32 bytes: restore it/);
    expect(await readFile(path, 'utf8')).toBe('short');
  });

  it('refuses a key that others may read and names the command that mends it', async () => {
    await openMasterKey({ dataDir });
    const path = join(dataDir, 'local-kms.key');
    await chmod(path, 0o644);

    await expect(openMasterKey({ dataDir })).rejects.toThrow(`chmod 600 ${path}`);
  });

  it('says so where the data folder is a file', async () => {
    const path = join(dataDir, 'file');
    await writeFile(path, '');

    await expect(openMasterKey({ dataDir: path })).rejects.toThrow(/cannot be read or made/);
  });
});

describe('deriveKey', () => {
  it('gives one key a purpose, and none is the master key', async () => {
    const master = await openMasterKey({});
    const versions = deriveKey(master, 'secret versions');

    expect(versions).toHaveLength(32);
    expect(deriveKey(master, 'secret versions')).toEqual(versions);
    expect(deriveKey(master, 'other')).not.toEqual(versions);
    expect(versions).not.toEqual(master);
  });
});
