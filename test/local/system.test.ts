import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../local/aws/loopback-server.ts';
import { flagsOf } from '../../local/flags.ts';
import { createMemorySecrets } from '../../local/secret-source.ts';
import { startSystem } from '../../local/system.ts';

describe('startSystem', () => {
  it('tells why it could not start, also where something cannot be stopped after that', async () => {
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
});
