import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeServer, listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { runDev } from '../../local/dev.ts';
import { findNamedFiles } from '../../local/named-files.ts';
import { makeFolder } from '../system/own-broker.ts';

/** Many times what a start takes: on a busy machine too. */
const WITHIN = { timeout: 60_000, interval: 100 };

const provider = (seconds: number) => `export default {
  secretFields: { key: {} },
  logins: { system: [{ url: '/login', json: { key: '{key}' }, reads: { token: { in: 'body', path: ['t'] } } }] },
  placement: { headers: { authorization: 'Bearer {token}' } },
  lifetime: [{ seconds: 3600 }],
  defaults: { maxTokenAgeSeconds: ${seconds} },
};`;
const connections = (...names: readonly string[]) => `import acme from './providers/acme.mjs';
export default {
  providers: { acme },
  connections: { ${names.map((name) => `${name}: { provider: 'acme', baseUrl: 'http://127.0.0.1:9' }`)} },
};`;

describe('`token-broker dev`', { timeout: 300_000 }, () => {
  it('takes up what a person edits, and goes on as before where that is faulty', async () => {
    const folder = await makeFolder();
    const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text, { mode: 0o600 });
    mkdirSync(join(folder.path, 'providers'));
    write('providers/acme.mjs', provider(900));
    write('connections.mjs', connections('one'));
    write('secrets.json', '{"one":{"key":"k1"}}');

    const port = await findPort();
    const [said, stop] = [[] as string[], new AbortController()];
    const ended = runDev({
      connections: join(folder.path, 'connections.mjs'),
      secrets: join(folder.path, 'secrets.json'),
      flags: ['--port', String(port)],
      say: (line) => said.push(line),
      interruption: stop.signal,
    });
    onTestFinished(async () => {
      stop.abort();
      await ended;
      await folder.remove();
    });
    const declared = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/connections`).catch(() => undefined);
      const { connections: all }: { connections: { name: string; lifetime_seconds: number }[] } =
        answer === undefined ? { connections: [] } : JSON.parse(await answer.text());
      return all.map(({ name, lifetime_seconds: seconds }) => `${name} ${seconds}`);
    };
    const expectDeclared = (...all: readonly string[]) => expect.poll(declared, WITHIN).toEqual(all);
    const expectSaid = (pattern: RegExp) => expect.poll(() => said.join('\n'), WITHIN).toMatch(pattern);
    await expectDeclared('one 900');

    write('providers/acme.mjs', provider(800));
    await expectDeclared('one 800');
    expect(said).toEqual([expect.stringMatching(/acme\.mjs: changed\. The broker starts again\.$/)]);

    write('providers/acme.mjs', provider(700).replace("'body'", "'boddy'"));
    await expectSaid(/cannot be taken up:\n[\s\S]* providers\.acme\.logins[\s\S]*goes on as before\.$/);
    expect(await declared()).toEqual(['one 800']);

    write('providers/acme.mjs', provider(700));
    await expectDeclared('one 700');

    // A new connection needs a secret, which comes a moment later.
    write('connections.mjs', connections('one', 'two'));
    await expectSaid(/\$\.two is missing; [\s\S]*goes on as before\.$/);
    expect(await declared()).toEqual(['one 700']);
    write('secrets.json', '{"one":{"key":"k1"},"two":{"key":"k2"}}');
    await expectDeclared('one 700', 'two 700');

    stop.abort();
    expect(await ended).toBe(0);
    expect(await declared()).toEqual([]);
  });
});

it('the files that a connections file names are found, and those that they name', async () => {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text);
  mkdirSync(join(folder.path, 'node_modules'));
  write(
    'connections.mjs',
    `import a from './a.mjs'; import "../outside.mjs"; import x from 'pkg'; import('./node_modules/x.js')`,
  );
  write(
    'a.mjs',
    "import b from \"./b.json\" with { type: 'json' }; readFileSync(new URL('./ca.pem', import.meta.url)); import('./')",
  );
  write('b.json', '{"$schema": "./schema.json"}');
  expect(findNamedFiles(join(folder.path, 'connections.mjs')).map((file) => file.replace(folder.path, '.'))).toEqual([
    './connections.mjs',
    './a.mjs',
    join(folder.path, '../outside.mjs'),
    './b.json',
    './ca.pem',
    './schema.json',
  ]);
});

async function findPort(): Promise<number> {
  const server = createServer();
  const url = await listenOnLoopback(server, 0);
  await closeServer(server);
  return Number(new URL(url).port);
}
