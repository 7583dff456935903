import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Provider } from '../../functions/core/slot/provider.ts';
import { createMemorySecrets, type LocalSecrets } from '../../local/secret-source.ts';
import { openSecretsFile, type SecretsFileOptions } from '../../local/secrets-file.ts';
import { StartError } from '../../local/start-error.ts';

const VERSION_KEY = Buffer.alloc(32, 7);
const REQUIRED: ReadonlyMap<string, Provider['secretFields']> = new Map([
  ['helpdesk', fieldsNamed('apiKey')],
  ['wfm', fieldsNamed('username', 'password')],
]);

function fieldsNamed(...names: readonly string[]): Provider['secretFields'] {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
const GOOD = { helpdesk: { apiKey: 'key-one' }, wfm: { username: 'svc', password: 'hunter2' } };

let folder: string;
let path: string;
let opened: LocalSecrets[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-file-'));
  path = join(folder, 'secrets.json');
  await writeFile(path, JSON.stringify(GOOD), { mode: 0o600 });
});
afterEach(async () => {
  await Promise.all(opened.map((secrets) => secrets.close()));
  opened = [];
  await rm(folder, { recursive: true, force: true });
});

/** Opens the file, and looks at it every 10 ms unless `pace` says otherwise. */
async function open(overrides: Partial<SecretsFileOptions> = {}, pace: { readonly pollMs?: number } = { pollMs: 10 }) {
  const onChange = vi.fn<(connection: string) => void>();
  const onBroken = vi.fn<(message: string) => void>();
  const options = { path, required: REQUIRED, versionKey: VERSION_KEY, onChange, onBroken, ...pace, ...overrides };
  const secrets = await openSecretsFile(options);
  opened.push(secrets);
  return { secrets, onChange, onBroken };
}

async function problemsOf(content: string | Buffer): Promise<readonly string[]> {
  await writeFile(path, content, { mode: 0o600 });
  const error = await open().catch((thrown: unknown) => thrown);
  if (!(error instanceof StartError)) throw new Error('the file was taken');
  return error.message.split('\n');
}

function fieldsOf(secrets: LocalSecrets, name: string): unknown {
  const secret = secrets.current(name);
  return typeof secret === 'object' ? JSON.parse(secret.value) : secret;
}

function versionOf(secrets: LocalSecrets, name: string): string {
  const secret = secrets.current(name);
  if (typeof secret !== 'object') throw new Error('no such secret');
  return secret.versionId;
}

async function soon(condition: () => void): Promise<void> {
  await vi.waitFor(condition, { timeout: 20_000, interval: 5 });
}

describe('a secrets file at the start', () => {
  it('serves each connection under its secret name', async () => {
    const { secrets } = await open();

    expect(fieldsOf(secrets, 'token-broker/helpdesk')).toEqual(GOOD.helpdesk);
    expect(fieldsOf(secrets, 'token-broker/wfm')).toEqual(GOOD.wfm);
    expect(secrets.current('helpdesk')).toBeUndefined();
  });

  it('serves a connection under the name it was configured with', async () => {
    const { secrets } = await open({ nameOf: (connection) => `prod/${connection}` });

    expect(fieldsOf(secrets, 'prod/helpdesk')).toEqual(GOOD.helpdesk);
  });

  it('takes a file with a byte order mark', async () => {
    await writeFile(path, `\uFEFF${JSON.stringify(GOOD)}`);
    const { secrets } = await open();

    expect(fieldsOf(secrets, 'token-broker/helpdesk')).toEqual(GOOD.helpdesk);
  });

  it('names every problem at once, with file, place and remedy', async () => {
    const problems = await problemsOf(
      JSON.stringify({ helpdesk: { apiKey: 7, colour: 'x' }, wfm: { username: '' }, wmf: {} }),
    );

    expect(problems).toEqual([
      `${path}: $.helpdesk.apiKey is not a string; put it in double quotes`,
      `${path}: $.helpdesk.colour is no field of this secret; remove it, or use apiKey`,
      `${path}: $.wfm.username is empty; give it its value`,
      `${path}: $.wfm.password is missing; add it, a string`,
      `${path}: $.wmf is no configured connection; remove it, or use helpdesk, wfm`,
    ]);
  });

  it('shows what a missing connection needs', async () => {
    expect(await problemsOf('{"helpdesk": {"apiKey": "k"}}')).toEqual([
      `${path}: $.wfm is missing; add "wfm": {"username": "…", "password": "…"}`,
    ]);
  });

  it('gives the place where the file stops being JSON, and none of its text', async () => {
    const [problem, ...others] = await problemsOf('{\n  "helpdesk": {"apiKey": hunter2}\n}');

    expect(others).toEqual([]);
    expect(problem).toBe(`${path}: line 2, column 26 is where it stops being JSON; correct it there, or just before`);
  });

  it.each([
    [
      'a value in place of a name',
      '{"helpdesk": {"0bef4ace-hunter2-secret": "x"}, "wfm": {"username": "a", "password": "b"}}',
    ],
    ['a value in place of an object', '{"helpdesk": "hunter2", "wfm": ["hunter2"]}'],
    ['a value in place of a connection', '{"hunter2/+=": 1}'],
    [
      'a value of another type',
      '{"helpdesk": {"apiKey": ["hunter2"]}, "wfm": {"username": {"hunter2": 1}, "password": 1}}',
    ],
    ['a bare value', '"hunter2"'],
  ])('repeats no value: %s', async (_what, content) => {
    expect((await problemsOf(content)).join('\n')).not.toContain('hunter2');
  });

  it('refuses what is not UTF-8', async () => {
    expect(await problemsOf(Buffer.from([0x7b, 0xff, 0x7d]))).toEqual([
      `${path}: the file is not UTF-8 text; save it as UTF-8`,
    ]);
  });

  it('says so where there is no file, or a folder', async () => {
    await rm(path);
    await expect(open()).rejects.toThrow(`${path}: the file does not exist; write it, or give another with --secrets`);
    await expect(open({ path: folder })).rejects.toThrow(`${folder}: it is a folder`);
  });

  it('refuses two values for one secret that two connections share', async () => {
    await writeFile(path, JSON.stringify({ one: { apiKey: 'a' }, two: { apiKey: 'b' } }));
    const required = new Map([
      ['one', fieldsNamed('apiKey')],
      ['two', fieldsNamed('apiKey')],
    ]);
    await expect(open({ required, nameOf: () => 'shared' })).rejects.toThrow(/\$\.two differs from \$\.one/);

    await writeFile(path, JSON.stringify({ one: { apiKey: 'a' }, two: { apiKey: 'a' } }));
    const { secrets, onChange } = await open({ required, nameOf: () => 'shared' });
    expect(fieldsOf(secrets, 'shared')).toEqual({ apiKey: 'a' });

    await writeFile(path, JSON.stringify({ one: { apiKey: 'c' }, two: { apiKey: 'c' } }));
    await soon(() => expect(onChange.mock.calls).toEqual([['one'], ['two']]));
    expect(fieldsOf(secrets, 'shared')).toEqual({ apiKey: 'c' });
  });
});

describe('a version', () => {
  it('is a UUID, the same for the same value after a restart and in any order of fields', async () => {
    const first = await open();
    const version = versionOf(first.secrets, 'token-broker/wfm');
    expect(version).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

    await writeFile(path, '{"wfm": {"password": "hunter2", "username": "svc"}, "helpdesk": {"apiKey": "key-one"}}');
    const second = await open();
    expect(versionOf(second.secrets, 'token-broker/wfm')).toBe(version);
  });

  it('cannot be told without the version key, and differs between connections', async () => {
    await writeFile(path, JSON.stringify({ a: { apiKey: 'k' }, b: { apiKey: 'k' } }));
    const required = new Map([
      ['a', fieldsNamed('apiKey')],
      ['b', fieldsNamed('apiKey')],
    ]);
    const { secrets } = await open({ required });
    const other = await open({ required, versionKey: Buffer.alloc(32, 8) });

    expect(versionOf(secrets, 'token-broker/a')).not.toBe(versionOf(secrets, 'token-broker/b'));
    expect(versionOf(secrets, 'token-broker/a')).not.toBe(versionOf(other.secrets, 'token-broker/a'));
  });
});

describe('a secrets file that changes', () => {
  it('is a rotation of the connections whose value changed, within two seconds at the usual pace', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { secrets, onChange } = await open({}, {});
    const before = versionOf(secrets, 'token-broker/helpdesk');
    const untouched = secrets.current('token-broker/wfm');

    await writeFile(path, JSON.stringify({ ...GOOD, helpdesk: { apiKey: 'key-two' } }));
    vi.advanceTimersByTime(2_000);
    await expect.poll(() => onChange.mock.calls).toEqual([['helpdesk']]);

    expect(fieldsOf(secrets, 'token-broker/helpdesk')).toEqual({ apiKey: 'key-two' });
    expect(versionOf(secrets, 'token-broker/helpdesk')).not.toBe(before);
    expect(secrets.current('token-broker/wfm')).toEqual(untouched);
  });

  it('has the new version when it tells of the change', async () => {
    const seen: unknown[] = [];
    const { secrets } = await open({ onChange: () => seen.push(fieldsOf(secrets, 'token-broker/helpdesk')) });

    await writeFile(path, JSON.stringify({ ...GOOD, helpdesk: { apiKey: 'key-two' } }));
    await soon(() => expect(seen).toEqual([{ apiKey: 'key-two' }]));
  });

  it('is seen when another file is renamed over it', async () => {
    const { secrets, onChange } = await open();

    await writeFile(`${path}.new`, JSON.stringify({ ...GOOD, helpdesk: { apiKey: 'key-two' } }), { mode: 0o600 });
    await rename(`${path}.new`, path);
    await soon(() => expect(onChange.mock.calls).toEqual([['helpdesk']]));
    expect(fieldsOf(secrets, 'token-broker/helpdesk')).toEqual({ apiKey: 'key-two' });
  });

  it('is no rotation where only its form changed', async () => {
    const { onChange } = await open();

    await writeFile(path, JSON.stringify(GOOD, null, 4));
    await writeFile(path, JSON.stringify({ ...GOOD, wfm: { ...GOOD.wfm, password: 'new' } }, null, 4));
    await soon(() => expect(onChange.mock.calls).toEqual([['wfm']]));
  });

  it.runIf(process.platform !== 'win32')('is warned of where others may read it', async () => {
    await writeFile(path, JSON.stringify(GOOD));
    await chmod(path, 0o640);
    const { onBroken } = await open();

    expect(onBroken.mock.calls.flat()).toEqual([
      `warning: other users of this machine can read or change ${path}: chmod 600 ${path}`,
    ]);
  });

  it('keeps the values from before while it is broken, says so once a breakage, and heals', async () => {
    const { secrets, onChange, onBroken } = await open();

    await writeFile(path, '{"helpdesk": {"apiKey": "key-three"');
    await soon(() => expect(onBroken).toHaveBeenCalledTimes(1));
    expect(onBroken.mock.calls[0]?.[0]).toMatch(/line 1, column 36.*\nThe values from before stay in use\.$/);
    expect(onBroken.mock.calls[0]?.[0]).not.toContain('key-three');
    expect(fieldsOf(secrets, 'token-broker/helpdesk')).toEqual(GOOD.helpdesk);

    await rm(path);
    await soon(() => expect(onBroken).toHaveBeenCalledTimes(2));
    expect(onBroken.mock.calls[1]?.[0]).toContain('does not exist');
    expect(fieldsOf(secrets, 'token-broker/wfm')).toEqual(GOOD.wfm);
    expect(onChange).not.toHaveBeenCalled();

    await writeFile(path, JSON.stringify({ ...GOOD, helpdesk: { apiKey: 'key-three' } }));
    await soon(() => expect(onChange.mock.calls).toEqual([['helpdesk']]));
    expect(onBroken).toHaveBeenCalledTimes(2);

    await rm(path);
    await soon(() => expect(onBroken).toHaveBeenCalledTimes(3));
  });

  it('tells of nothing after it was closed', async () => {
    const { secrets, onChange } = await open({ pollMs: 1 });
    await secrets.close();
    const other = await open();

    await writeFile(path, JSON.stringify({ ...GOOD, helpdesk: { apiKey: 'key-two' } }));
    await soon(() => expect(other.onChange).toHaveBeenCalled());
    expect(onChange).not.toHaveBeenCalled();
    expect(secrets.current('token-broker/helpdesk')).toBeUndefined();
  });
});

describe('secrets in memory', () => {
  it('has the same versions as a file with the same values', async () => {
    const { secrets } = await open();
    const memory = createMemorySecrets({ versionKey: VERSION_KEY, now: () => 1_000 });
    memory.put('wfm', GOOD.wfm);

    expect(versionOf(memory, 'token-broker/wfm')).toBe(versionOf(secrets, 'token-broker/wfm'));
    expect(memory.current('token-broker/wfm')).toMatchObject({ createdAt: 1_000 });
  });

  it('tells of a new value, not of the first nor of the same again', () => {
    const onChange = vi.fn<(connection: string) => void>();
    const memory = createMemorySecrets({ versionKey: VERSION_KEY, onChange });

    memory.put('helpdesk', { apiKey: 'a' });
    memory.put('helpdesk', { apiKey: 'a' });
    expect(onChange).not.toHaveBeenCalled();
    memory.put('helpdesk', { apiKey: 'b' });
    expect(onChange.mock.calls).toEqual([['helpdesk']]);
  });

  it('can hold a secret without a value, a malformed one, and none', () => {
    const memory = createMemorySecrets({ versionKey: VERSION_KEY });

    memory.empty('helpdesk');
    expect(memory.current('token-broker/helpdesk')).toBe('empty');
    memory.put('helpdesk', 'not json');
    expect(memory.current('token-broker/helpdesk')).toMatchObject({ value: 'not json' });
    memory.remove('helpdesk');
    expect(memory.current('token-broker/helpdesk')).toBeUndefined();
  });
});
