import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { buildProgram } from '../../packages/broker.ts';
import { bundleProgram } from '../cold/bundles.ts';
import type { ProcessMemory } from './memory-probe.ts';

const UNIT = join(import.meta.dirname, '../../docs/agent/token-broker-agent.service');

/** Starts `token-broker agent` as it is packed, in a process of its own with the environment of its systemd unit. */
export async function startAgentProcess(brokerUrl: string, connection: string, folder: string) {
  await buildProgram(folder);
  const { entry: probe } = bundleProgram(join(import.meta.dirname, 'memory-probe.ts'), join(folder, 'probe.mjs'));
  const tokenFile = join(folder, 'agent.token');
  const options = { connection: `${connection}/*`, port: '0', 'token-file': tokenFile, url: brokerUrl };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = fork(join(folder, 'local/token-broker.mjs'), ['agent', '--json', ...words], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: ['--import', pathToFileURL(probe).href],
    env: { ...process.env, ...(await readUnitEnvironment()) },
  });
  if (child.stdout === null) throw new Error('The agent has no stdout.');
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`The agent ended with ${code}.`)));
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  const { address }: { readonly address: string } = JSON.parse(String(line));
  return {
    address,
    token: await readFile(tokenFile, 'utf8'),
    async memory(): Promise<ProcessMemory> {
      child.send('memory');
      const [memory] = await once(child, 'message');
      return memory;
    },
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function readUnitEnvironment(): Promise<Readonly<Record<string, string>>> {
  const unit = await readFile(UNIT, 'utf8');
  return Object.fromEntries(
    [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}
