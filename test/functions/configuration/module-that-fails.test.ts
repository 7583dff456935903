import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfigurationFile } from '../../../functions/configuration/load-file.ts';

const run = promisify(execFile);
const LOADER = new URL('../../../functions/configuration/load-file.ts', import.meta.url).href;
const LOAD = `
  const [, loader, path] = process.argv;
  const { loadConfigurationFile } = await import(loader);
  await loadConfigurationFile(path).catch(({ message }) => console.log(message));
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connections-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function refusalOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  const error: unknown = await loadConfigurationFile(path).catch((thrown: unknown) => thrown);
  return error instanceof Error ? error.message : '';
}

describe('a connections module that cannot be loaded (invariant 9)', () => {
  it.each([
    ['an identifier that is not there', 'a.mjs', '\nS3cretValue.x;', /ReferenceError at line 2, column 1; run/],
    [
      'a package that is not there',
      'b.mjs',
      'import "S3cretValue";',
      /Error ERR_MODULE_NOT_FOUND; run the file with `node`/,
    ],
    ['a message', 'c.mjs', 'throw new TypeError("S3cretValue");', /TypeError at line 1, column 7; run/],
    [
      'a class of error',
      'd.mjs',
      'const e = new Error("x"); e.name = "S3cretValue"; throw e;',
      /loaded: Error at line 1/,
    ],
    [
      'a code of an error',
      'e.mjs',
      'throw Object.assign(new Error("x"), { code: "S3cretValue" });',
      /loaded: Error at/,
    ],
    ['a value thrown', 'f.mjs', 'throw "S3cretValue";', /loaded: it threw something that is no Error$/],
  ])('is refused by class and place, and never quotes %s', async (_what, name, text, expected) => {
    const message = await refusalOf(name, text);

    expect(message).toMatch(expected);
    expect(message).not.toContain('S3cretValue');
  });

  it.each([
    ['g.mjs', /cannot be loaded: SyntaxError; run the file/],
    ['h.ts', /cannot be loaded: SyntaxError ERR_INVALID_TYPESCRIPT_SYNTAX at line 2; run the file/],
  ])('never quotes the code of %s, which does not parse', async (name, expected) => {
    const path = join(folder, name);
    await writeFile(path, 'export default {\n  apiKey: S3cretValue S3cretValue\n};');
    // In a process of its own: the test runner has a parser of its own for what it imports.
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', LOAD, LOADER, path]);

    expect(stdout).toMatch(expected);
    expect(stdout).not.toContain('S3cretValue');
  });
});
