import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { flagsOf } from '../../local/flags.ts';
import { StartError } from '../../local/start-error.ts';
import { startSystem } from '../../local/system.ts';

const EXAMPLE = { provider: 'helpmaster', baseUrl: 'https://helpmaster.example.com/api' };
const OWN = { provider: 'helpmaster', baseUrl: 'https://help.acme-corp.net/api' };

async function start(connections: object, secrets?: object) {
  const folder = await mkdtemp(join(tmpdir(), 'token-broker-stand-ins-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const write = async (name: string, content: object) => {
    await writeFile(join(folder, name), JSON.stringify(content), { mode: 0o600 });
    return join(folder, name);
  };
  const files = ['--connections', await write('connections.json', { connections })];
  if (secrets !== undefined) files.push('--secrets', await write('secrets.json', secrets));
  const reports: string[] = [];
  const log = new Writable({ write: (_chunk, _encoding, done) => done() });
  const flags = flagsOf(['--port', '0', '--stand-ins', ...files]);
  const system = await startSystem(flags, { log, report: (message) => reports.push(message) });
  onTestFinished(() => system.close());
  return { system, reports };
}

describe('--stand-ins', () => {
  it('has demo upstreams in the place of examples, and says so', async () => {
    const wfm = { provider: 'community-web-api', baseUrl: 'https://wfm.example/api', keepAlivePath: '/Keep' };
    const { system, reports } = await start({ helpdesk: EXAMPLE, wfm });
    expect(reports).toEqual([
      "connections.helpdesk: https://helpmaster.example.com/api is an example's address: the demo helpmaster stands in for it",
      "connections.wfm: https://wfm.example/api is an example's address: the demo community stands in for it",
    ]);
    for (const name of ['helpdesk', 'wfm']) {
      const answer = await fetch(`${system.url}/tokens/${name}/system`);
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ source: 'login' })]);
    }
  });

  it('leaves other addresses as they are, wants their secrets, and starts no demo for them', async () => {
    const { system, reports } = await start({ mine: OWN }, { mine: { apiKey: 'my-key' } });
    expect(reports).toEqual([]);
    expect(system.demo).toBeUndefined();
    expect(system.configuration.connections['mine']?.baseUrl).toBe(OWN.baseUrl);
    await expect(start({ mine: OWN, helpdesk: EXAMPLE })).rejects.toThrow(
      new StartError(
        'The credentials are missing. Put them into a file: {"mine":{"apiKey":"…"}}\n`--secrets FILE` names it; `token-broker dev` takes secrets.json where it is not given.',
      ),
    );
  });

  it('names a connection that no demo upstream can stand in for', async () => {
    const bi = { provider: 'looker', baseUrl: 'https://looker.example.com' };
    await expect(start({ bi })).rejects.toThrow('no demo upstream stands in for "looker": put your own');
  });
});
