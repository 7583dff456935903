import { existsSync } from 'node:fs';
import { type Command, operand } from '../command.ts';
import { UsageError } from '../exit-codes.ts';

/** Names that a connections file may have where none is given. */
const USUAL_NAMES = ['mjs', 'ts', 'mts', 'js', 'json'].map((ending) => `connections.${ending}`);

/** `token-broker dev`: the broker on this machine, with the connections of a file. */
export const devCommand: Command = {
  name: 'dev',
  summary: 'runs the broker on this machine with a connections file, and starts it again when that changes',
  operands: ['[CONNECTIONS]'],
  options: {
    secrets: {
      type: 'string',
      value: 'FILE',
      help: 'their secrets, {"<connection>": {…}} (secrets.json, if it is there)',
    },
    port: { type: 'string', value: 'N', help: 'port of the API (8787; 0 picks a free one)' },
    data: { type: 'string', value: 'DIR', help: 'keeps the store in DIR across starts; in memory without' },
    verbose: { type: 'boolean', help: 'the log as JSON, which a terminal gets in short lines' },
  },
  notes: [
    'In place of an address of an example, such as https://helpmaster.example.com/api, a demo upstream answers, and needs',
    'no secret. A file that the connections file names, such as one of providers, is watched too. Files that cannot be',
    'taken up leave the broker as it was. CONNECTIONS is connections.mjs, .ts, .mts, .js or .json where it is not given.',
  ],
  examples: [
    ['dev', 'with connections.mjs of this folder, on http://127.0.0.1:8787'],
    ['dev upstreams.json --secrets ~/upstreams.secrets.json', 'with other files'],
  ],
  async run(call) {
    const connections = operand(call, 0) || USUAL_NAMES.find((name) => existsSync(name));
    if (connections === undefined) {
      throw new UsageError('There is no connections.mjs here: `token-broker init` writes one, or name your file.');
    }
    if (!existsSync(connections)) throw new UsageError(`${connections}: there is no such file.`);
    const valued = (['port', 'data'] as const).flatMap((name) => {
      const value = call.text(name);
      return value === undefined ? [] : [`--${name}`, value];
    });
    return call.own.runDev({
      connections,
      secrets: call.text('secrets') ?? 'secrets.json',
      flags: [...valued, ...(call.flag('verbose') ? ['--verbose'] : [])],
      say: call.say,
      interruption: call.terminal.interruption(),
    });
  },
};
