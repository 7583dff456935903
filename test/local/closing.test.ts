import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { createClosing } from '../../local/closing.ts';
import { flagsOf } from '../../local/flags.ts';
import { createMemorySecrets } from '../../local/secret-source.ts';
import { startSystem } from '../../local/system.ts';

it('closes everything in the opposite order, also where some cannot be closed, and tells the first error', async () => {
  const closed: string[] = [];
  const closing = createClosing();
  const part = (name: string, fails = false) => ({
    async close() {
      closed.push(name);
      if (fails) throw new Error(`${name} does not close`);
    },
  });
  for (const each of [part('first'), part('second', true), part('third', true), part('fourth')]) closing.add(each);

  await expect(closing.close()).rejects.toThrow('third does not close');
  expect(closed).toEqual(['fourth', 'third', 'second', 'first']);
});

it('closes each once', async () => {
  let times = 0;
  const closing = createClosing();
  closing.add({
    async close() {
      times += 1;
    },
  });
  await closing.close();
  await closing.close();
  expect(times).toBe(1);
});

it('npm start tells why it could not start, also where something cannot be stopped after that', async () => {
  const taken = createServer();
  const { port } = new URL(await listenOnLoopback(taken, 0));
  let tried = false;
  const starting = startSystem(flagsOf(['--port', port]), {
    log: new Writable({ write: (_chunk, _encoding, done) => done() }),
    report: () => undefined,
    secrets: (options) => ({
      ...createMemorySecrets(options),
      async close() {
        tried = true;
        throw new Error('It does not close.');
      },
    }),
  });
  await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(tried).toBe(true);
  taken.close();
});
