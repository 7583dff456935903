import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { MEASURED } from '../broker.ts';
import { startConstant } from '../gateway/gateway.ts';
import { quantile, type Rounds, ratioOf, runRounds, spreadOf } from '../rounds.ts';
import { atLeast, atMost, type BenchOptions, figure, type Section, spreadText } from '../section.ts';
import { type Callers, createCallers } from '../system/callers.ts';
import { startAgentProcess } from './agent-process.ts';
import type { ProcessMemory } from './memory-probe.ts';

const SIZE = { quick: { rounds: 2, roundMs: 60, slots: 50 }, full: { rounds: 21, roundMs: 700, slots: 1_000 } };
const LEVELS = [1, 32] as const;
const AGENT = 'the agent';
const CONSTANT = 'node:http, a constant';
const TWIN = 'node:http, again';
const TOKEN_HEADER = 'x-token-broker-agent-token';
const MEGABYTE = 1024 * 1024;

/** Measures the agent: hand-outs from its memory over HTTP, and what it holds with many slots. */
export async function benchAgent({ quick, folder }: BenchOptions): Promise<Section> {
  const { rounds, roundMs, slots } = quick ? SIZE.quick : SIZE.full;
  const broker = await startBroker();
  const agent = await startAgentProcess(broker.url, MEASURED, join(folder, 'agent'));
  const constant = await startConstant();
  const most = Math.max(...LEVELS);
  const callers = {
    agent: createCallers([agent.address], most, { [TOKEN_HEADER]: agent.token }),
    constant: createCallers([constant.url], most),
  };
  try {
    const empty = await agent.memory();
    for (let slot = 1; slot <= slots; slot += 1) await callers.agent.askOne(`/tokens/${MEASURED}/${slot}`);
    const filled = await agent.memory();
    const ask = (to: Callers, level: number) => async () => {
      const began = performance.now();
      const times = await to.askFor(level, `/tokens/${MEASURED}/1`, roundMs);
      const seconds = (performance.now() - began) / 1_000;
      return {
        rate: times.length / seconds,
        p50: quantile(
          times.toSorted((a, b) => a - b),
          0.5,
        ),
      };
    };
    const cases = LEVELS.flatMap((level) => [
      { name: `${CONSTANT}, ${level}`, measure: ask(callers.constant, level) },
      { name: `${AGENT}, ${level}`, measure: ask(callers.agent, level) },
      { name: `${TWIN}, ${level}`, measure: ask(callers.constant, level) },
    ]);
    return report(await runRounds(cases, rounds), { slots, empty, filled });
  } finally {
    await Promise.all([callers.agent.close(), callers.constant.close()]);
    await Promise.all([agent.close(), constant.close(), broker.close()]);
  }
}

/** A broker that hands out a token of 1 KB for whichever slot, good for a day. */
async function startBroker() {
  const server = createServer((request, response) => {
    const [, , connection = '', subject = ''] = (request.url ?? '').split('/');
    const now = Date.now();
    const at = (seconds: number) => new Date(now + seconds * 1_000).toISOString();
    const token = `${subject}.`.padEnd(1_024, 'a');
    const times = { expires_in: 86_395, issued_at: at(0), refresh_at: at(69_120), expires_at: at(86_400) };
    const rest = { connection, subject, generation: 1, source: 'cache', attributes: {} };
    const headers = { Authorization: `Bearer ${token}` };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', ...times, ...rest, headers }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A TCP server's address is never a pipe's name.
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function report(
  rounds: Rounds,
  { slots, empty, filled }: { readonly slots: number; readonly empty: ProcessMemory; readonly filled: ProcessMemory },
): Section {
  const twins = LEVELS.map((level) => ratioOf(rounds, `${TWIN}, ${level}`, `${CONSTANT}, ${level}`, 'rate').median);
  const megabytes = (bytes: number) => `${figure(bytes / MEGABYTE)} MB`;
  const memoryRow = (name: string, { resident, heap }: ProcessMemory) => [name, megabytes(resident), megabytes(heap)];
  return {
    title: 'Agent',
    notes: [
      'Hand-outs from the memory of `token-broker agent`, the packed program in a process of its own with the environment of its systemd unit, beside a server that answers a constant of the same size. The callers run on the same machine. Memory is after a collection, each slot with a token of 1 KB; Node alone is the same process before it loads the program.',
    ],
    tables: [
      {
        columns: ['server, callers', 'requests a second', 'p50 ms'],
        rows: LEVELS.flatMap((level) =>
          [CONSTANT, AGENT, TWIN].map((name) => [
            `${name}, ${level}`,
            spreadText(spreadOf(rounds, `${name}, ${level}`, 'rate')),
            figure(spreadOf(rounds, `${name}, ${level}`, 'p50').median),
          ]),
        ),
      },
      {
        columns: ['', 'resident set', 'heap in use'],
        rows: [
          ['Node alone', megabytes(filled.bare), '–'],
          memoryRow('an agent that holds nothing', empty),
          memoryRow(`with ${figure(slots)} slots`, filled),
        ],
      },
    ],
    targets: [
      atMost('p50 at one caller', 0.3, spreadOf(rounds, `${AGENT}, 1`, 'p50').median, ' ms'),
      atLeast('Requests a second at 32 callers', 5_000, spreadOf(rounds, `${AGENT}, 32`, 'rate').median),
      atMost(
        `Memory with ${figure(slots)} slots, over Node alone`,
        40,
        (filled.resident - filled.bare) / MEGABYTE,
        ' MB',
      ),
    ],
    twin: twins.toSorted((a, b) => Math.abs(1 - b) - Math.abs(1 - a))[0] ?? Number.NaN,
  };
}
