import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { createApiClient, gistOf } from './api-client.ts';
import { PROJECT_FOLDER, startBroker } from './broker-process.ts';
import { makeFolder } from './own-broker.ts';
import { waitUntil } from './wait-until.ts';

const folder = await makeFolder();
afterAll(() => folder.remove());

/** Listens on a port; undefined where somebody else does. */
function holdPort(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(undefined))
      .once('listening', () => resolve(server))
      .listen(port, '127.0.0.1');
  });
}

/** A port that is free, with the three after it: below those that systems give to whoever asks for any. */
function fourFreePorts(): Promise<number> {
  return waitUntil('four free ports in a row', async () => {
    const port = randomInt(20_000, 30_000);
    const held = [await holdPort(port), await holdPort(port + 1), await holdPort(port + 2), await holdPort(port + 3)];
    for (const server of held) server?.close();
    return held.includes(undefined) ? undefined : port;
  });
}

/** Writes a connections file in TypeScript that names the demo HelpMaster on a port, and its secrets. */
async function writeFiles(port: number): Promise<readonly string[]> {
  const declaration = pathToFileURL(join(PROJECT_FOLDER, 'functions/configuration/declaration.ts')).href;
  const connections = join(folder.path, `connections-${port}.ts`);
  const secrets = join(folder.path, `secrets-${port}.json`);
  await writeFile(
    connections,
    `import { defineConnections } from '${declaration}';

export default defineConnections({
  connections: {
    mine: { provider: 'helpmaster', baseUrl: 'http://127.0.0.1:${port}', subjects: { system: false, staff: ['88'] } },
  },
});
`,
  );
  await writeFile(secrets, JSON.stringify({ mine: demoHelpmasterSecret }));
  return ['--connections', connections, '--secrets', secrets];
}

it('a connections file in TypeScript can name the demo upstreams, on the three ports after the API', async () => {
  const port = await fourFreePorts();
  const broker = await startBroker(['--port', String(port), ...(await writeFiles(port + 1)), '--demo']);
  try {
    expect(broker.url).toBe(`http://127.0.0.1:${port}`);
    expect(broker.demo).toEqual({
      helpmaster: `http://127.0.0.1:${port + 1}`,
      community: `http://127.0.0.1:${port + 2}`,
      oauth: `http://127.0.0.1:${port + 3}`,
    });
    expect(gistOf(await createApiClient(broker.url).token('mine', '88'))).toBe('200 login');
    // The printed requests are for this connection, not for those of the demo.
    expect(broker.stdout()).toContain(`${broker.url}/tokens/mine/88`);
    expect(broker.stdout()).not.toContain('helpdesk');
  } finally {
    await broker.stop();
  }
});

it('a port after the API that is taken is no reason not to start', async () => {
  const port = await fourFreePorts();
  const holder = await holdPort(port + 1);
  const broker = await startBroker(['--port', String(port)]);
  try {
    expect(broker.demo.helpmaster).not.toBe(`http://127.0.0.1:${port + 1}`);
    expect(gistOf(await createApiClient(broker.url).token('helpdesk', 'system'))).toBe('200 login');
  } finally {
    await broker.stop();
    holder?.close();
  }
});

it('without --demo there are no demo upstreams beside connections of one’s own', async () => {
  const broker = await startBroker(await writeFiles(1));
  await broker.stop();
  expect(broker.stdout()).not.toContain('demo ');
  expect(broker.demo).toEqual({ helpmaster: '', community: '', oauth: '' });
});
