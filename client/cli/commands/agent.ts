import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Agent, EVERY_SUBJECT, startAgent } from '../../agent/agent.ts';
import { createBrokerCalls } from '../../agent/broker-calls.ts';
import type { Place } from '../../agent/listen.ts';
import { makeTokenFolder, type TokenFile, writeTokenFile } from '../../agent/token-file.ts';
import type { SlotName } from '../../broker-api.ts';
import { systemClock } from '../../clock.ts';
import { createSigner } from '../../signing.ts';
import type { Call, Command } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { parseSlot } from '../slot-operand.ts';

const DEFAULT_PORT = '8791';
const WHOLE_NUMBER = /^[0-9]{1,5}$/;
const HIGHEST_PORT = 65_535;
const ATTEMPTS = 3;

/** `token-broker agent`: tokens for programs of this machine that sign nothing, until the user interrupts. */
export const agentCommand: Command = {
  name: 'agent',
  summary: 'serves tokens to programs of this machine, which sign nothing: one plain HTTP call',
  operands: [],
  options: {
    connection: {
      type: 'string',
      short: 'c',
      multiple: true,
      value: 'CONNECTION[/SUBJECT]',
      help: 'what it serves, and nothing else; may be repeated; CONNECTION/* for every subject',
    },
    port: { type: 'string', value: 'N', help: `port on 127.0.0.1 (${DEFAULT_PORT}; 0 picks a free one)` },
    socket: { type: 'string', value: 'PATH', help: 'a Unix socket in place of the port, for this user alone' },
    'token-file': { type: 'string', value: 'FILE', help: 'where it writes its own token, for callers to send' },
  },
  notes: [
    'Callers send the content of the token file, which is new at each start and for this user alone (0600), in the header',
    "X-Token-Broker-Agent-Token. Paths and answers are the broker's: GET and POST /tokens/{connection}/{subject},",
    '/proxy/{connection}/{subject}/{path}; GET /health needs no token. Nothing for operators is served. Tokens are kept',
    'until they are due, renewed ahead, and handed out while they are good, whether or not the broker answers.',
    'The subject is `system` where it is left out. SIGTERM and Ctrl-C end it once requests at work are done.',
  ],
  examples: [
    ['agent --connection wfm --connection helpdesk/88', 'two slots, at http://127.0.0.1:8791'],
    ['agent -c "helpdesk/*" --socket /run/broker/agent.sock', 'every subject of helpdesk, on a socket'],
  ],
  async run(call) {
    const served = call.texts('connection').map(parseServed);
    if (served.length === 0) {
      throw new UsageError(
        '--connection says what the agent serves, such as --connection helpdesk/88. Give one or more.',
      );
    }
    const place = placeIn(call);
    const token = randomBytes(32).toString('base64url');
    const interrupted = call.terminal.interruption();
    const agent = await start(call, { place, served, token });
    let file: TokenFile | undefined;
    try {
      file = await writeToken(call, agent, token);
      const names = served.map(({ connection, subject }) => `${connection}/${subject}`);
      if (call.isJson) call.print(JSON.stringify({ address: agent.address, token_file: file.path, serves: names }));
      else {
        call.print(agent.address);
        call.say(`serves ${names.join(', ')} of ${call.endpoint.base}, until Ctrl-C`);
        call.say(`its token is in ${file.path}`);
      }
      await aborted(interrupted);
    } finally {
      await Promise.all([agent.close(), file?.remove()]);
    }
    return EXIT.ok;
  },
};

function parseServed(text: string): SlotName {
  const [connection = '', subject] = text.split('/');
  if (subject !== EVERY_SUBJECT) return parseSlot(text);
  return { ...parseSlot(connection), subject };
}

function placeIn(call: Call): Place {
  const [port, socket] = [call.text('port'), call.text('socket')];
  if (socket !== undefined && port !== undefined) throw new UsageError('--port and --socket: choose one.');
  if (socket === '') throw new UsageError('--socket needs a path.');
  if (socket !== undefined) return { socket };
  const number = port ?? DEFAULT_PORT;
  if (WHOLE_NUMBER.test(number) && Number(number) <= HIGHEST_PORT) return { port: Number(number) };
  throw new UsageError(`--port is a whole number from 0 to ${HIGHEST_PORT}, such as --port ${DEFAULT_PORT}.`);
}

async function start(call: Call, own: { place: Place; served: readonly SlotName[]; token: string }): Promise<Agent> {
  const { endpoint, timeoutMs } = call;
  const [clock, random, budget] = [systemClock, Math.random, { attempts: ATTEMPTS, timeoutMs }];
  const sign = createSigner({ endpoint, clock });
  try {
    return await startAgent({
      ...own,
      ...{ budget, clock, random },
      ...createBrokerCalls({ endpoint, sign, budget, clock, random }),
      basePath: new URL(endpoint.base).pathname.replace(/\/$/, ''),
      report: call.say,
    });
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const { place } = own;
    throw new UsageError(
      'socket' in place
        ? `The socket ${place.socket} cannot be had (${code}): does another agent listen there, and may you write there?`
        : `The port ${place.port} cannot be had (${code}): give another with --port, or 0 for a free one.`,
    );
  }
}

/** Writes the token beside the socket, else into the folder for such files under the port, else where the user says. */
async function writeToken(call: Call, { address }: Agent, token: string): Promise<TokenFile> {
  const given = call.text('token-file');
  try {
    if (given !== undefined) return await writeTokenFile(given, token);
    if (!address.startsWith('http:')) return await writeTokenFile(`${address}.token`, token);
    const folder = await makeTokenFolder(call.terminal.environment);
    return await writeTokenFile(join(folder, `token-broker-agent-${new URL(address).port}.token`), token);
  } catch (error) {
    const why = codeOf(error) ?? (error instanceof Error ? error.message : 'unknown');
    throw new UsageError(`The agent's token cannot be written (${why}): name a file of your own with --token-file.`);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
