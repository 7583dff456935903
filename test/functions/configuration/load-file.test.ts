import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../functions/configuration/errors.ts';
import { loadConfigurationFile } from '../../../functions/configuration/load-file.ts';
import { makeFolder } from '../../system/own-broker.ts';
import { helpdesk } from './declared.ts';

const run = promisify(execFile);
const LOADER = new URL('../../../functions/configuration/load-file.ts', import.meta.url).href;
const LOAD = `
  const [, loader, path] = process.argv;
  const { loadConfigurationFile } = await import(loader);
  await loadConfigurationFile(path).catch(({ message }) => console.log(message));
`;

const { path: folder, remove } = await makeFolder();
afterAll(remove);

const declared = JSON.stringify({ connections: { it: helpdesk } });

async function fileWith(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function refusalOf(path: string): Promise<ConfigurationError> {
  const error: unknown = await loadConfigurationFile(path).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigurationError)) {
    throw new Error('was not refused with a ConfigurationError', { cause: error });
  }
  expect(error.message).toContain(path);
  return error;
}

describe('a connections file', () => {
  it.each([
    ['a.json', declared],
    ['bom.json', `\ufeff${declared}`],
    ['b.ts', `const it: object = ${JSON.stringify(helpdesk)};\nexport default { connections: { it } };`],
    ['c.mts', `export default ${declared} as unknown;`],
    ['d.mjs', `export default ${declared};`],
  ])('is read from %s', async (name, text) => {
    const { connections } = await loadConfigurationFile(await fileWith(name, text));

    expect(connections['it']?.baseUrl).toBe(helpdesk.baseUrl);
  });

  it('is the example of the repository', async () => {
    const path = new URL('../../../cdk/connections.ts', import.meta.url).pathname;

    expect(Object.keys((await loadConfigurationFile(path)).connections)).toEqual(['helpdesk', 'wfm']);
  });

  it('names the file and every problem in it', async () => {
    const path = await fileWith('bad.json', '{"connections":{"it":{"provider":"helpmaster","x":1}}}');
    const { problems, message } = await refusalOf(path);

    expect(problems.map((problem) => problem.path)).toEqual(['connections.it.baseUrl', 'connections.it.x']);
    expect(message).toMatch(/bad\.json has 2 problems:\n {2}connections\.it\.baseUrl: /);
  });

  it('refuses `__proto__` in JSON', async () => {
    const { message } = await refusalOf(await fileWith('proto.json', '{"connections":{"__proto__":{}}}'));

    expect(message).toContain('connections.__proto__: must not be used as a key');
  });

  it.each([
    ['missing.json', undefined, /no such file/],
    ['.', undefined, /is not a file/],
    ['wrong.yaml', 'a: 1', /must end in \.json, \.ts/],
    ['broken.json', '{\n  "apiKey": "S3cretValue" "x"\n}', /is not JSON: look at line 2, column 27/],
    ['empty.json', '', /is not JSON: look at line 1, column 1$/],
    ['none.mjs', 'export const connections = {};', /no default export.*defineConnections/],
    ['own-error.mjs', 'throw new Error("no upstream given\\nS3cretValue")', /cannot be loaded: no upstream given$/],
    ['value.mjs', 'throw "S3cretValue"', /cannot be loaded: it threw something that is no Error$/],
    ['identifier.mjs', '\nS3cretValue.x;', /: ReferenceError at line 2, column 1; run/],
    ['package.mjs', 'import "S3cretValue";', /: Error ERR_MODULE_NOT_FOUND; run the file with `node`/],
    ['message.mjs', 'throw new TypeError("S3cretValue");', /: TypeError at line 1, column 7; run/],
    ['class.mjs', 'const e = new Error("x"); e.name = "S3cretValue"; throw e;', /loaded: Error at line 1/],
    ['code.mjs', 'throw Object.assign(new Error("x"), { code: "S3cretValue" });', /loaded: Error at/],
  ])('says what is wrong with %s and quotes nothing (invariant 9)', async (name, text, expected) => {
    const { message } = await refusalOf(text === undefined ? join(folder, name) : await fileWith(name, text));

    expect(message).toMatch(expected);
    expect(message).not.toContain('S3cretValue');
  });

  it.each([
    ['g.mjs', /cannot be loaded: SyntaxError; run the file/],
    ['h.ts', /cannot be loaded: SyntaxError ERR_INVALID_TYPESCRIPT_SYNTAX at line 2; run the file/],
  ])('never quotes the code of %s, which does not parse (invariant 9)', async (name, expected) => {
    const path = await fileWith(name, 'export default {\n  apiKey: S3cretValue S3cretValue\n};');
    // In a process of its own: the test runner has a parser of its own for what it imports.
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', LOAD, LOADER, path]);

    expect(stdout).toMatch(expected);
    expect(stdout).not.toContain('S3cretValue');
  });
});
