import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BROKER } from '../../local/functions.ts';
import { configurationFor, environmentIn, MEASURED, measuredIn } from '../broker.ts';
import { forkModule } from '../child-process.ts';
import { answersFor } from '../loopback/answers.ts';
import { type AwsEndpoint, startAwsEndpoint } from '../loopback/aws-endpoint.ts';
import { selfSigned } from '../loopback/certificate.ts';
import { sealedSlot } from '../loopback/sealed-slot.ts';
import { quantile, type Rounds, ratioOf, runRounds, spreadOf } from '../rounds.ts';
import { atLeast, atMost, type BenchOptions, figure, type Section, spreadText } from '../section.ts';
import { type Callers, createCallers } from '../system/callers.ts';
import { startTokenProcess } from '../system/token-process.ts';

const ROUNDS = { quick: 2, full: 21 };
const ROUND_MS = { quick: 60, full: 700 };
const LEVELS = [1, 32, 256] as const;
const PATH = `/tokens/${MEASURED}/system`;
const CONSTANT = 'node:http, a constant';
const TWIN = 'node:http, again';
const BROKER_CASE = 'the broker';

/** Measures hand-outs over HTTP through the local gateway, beside a server that answers a constant of the same size. */
export async function benchGateway({ quick, folder }: BenchOptions): Promise<Section> {
  const size = quick ? 'quick' : 'full';
  const certificate = selfSigned(folder);
  const endpoint = await startAwsEndpoint(certificate);
  const token = await startBroker(endpoint, folder, certificate.certificateFile);
  const constant = await startConstant();
  const most = Math.max(...LEVELS);
  const callers = { broker: createCallers([token.url], most), constant: createCallers([constant.url], most) };
  try {
    const ask = (to: Callers, level: number) => async () => {
      const began = performance.now();
      const times = await to.askFor(level, PATH, ROUND_MS[size]);
      const seconds = (performance.now() - began) / 1_000;
      const sorted = times.toSorted((a, b) => a - b);
      return { rate: times.length / seconds, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
    };
    const cases = LEVELS.flatMap((level) => [
      { name: `${CONSTANT}, ${level}`, measure: ask(callers.constant, level) },
      { name: `${BROKER_CASE}, ${level}`, measure: ask(callers.broker, level) },
      { name: `${TWIN}, ${level}`, measure: ask(callers.constant, level) },
    ]);
    return report(await runRounds(cases, ROUNDS[size]));
  } finally {
    await Promise.all([callers.broker.close(), callers.constant.close()]);
    await Promise.all([token.close(), constant.close(), endpoint.close()]);
  }
}

async function startBroker(endpoint: AwsEndpoint, folder: string, certificateFile: string) {
  const configuration = configurationFor('https://helpmaster.example');
  await endpoint.setAnswers(answersFor(sealedSlot(BROKER, measuredIn(configuration))));
  const environment = await environmentIn(folder, configuration, endpoint.url);
  return startTokenProcess(environment, { NODE_EXTRA_CA_CERTS: certificateFile });
}

/** Starts a server that answers a constant as long as a hand-out, in a process of its own. */
export async function startConstant(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { ask, close } = forkModule(import.meta.url);
  return { url: `http://127.0.0.1:${String(await ask())}`, close };
}

async function serveConstant(): Promise<void> {
  // The body is as long as a hand-out of a token of 1 KB, which contains the token twice.
  const body = JSON.stringify({ access_token: 'a'.repeat(1_024), headers: { Authorization: 'a'.repeat(1_024) } });
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.on('disconnect', () => process.exit(0));
  process.send?.((server.address() as AddressInfo).port); // A TCP server's address is never a pipe's name.
}

function report(rounds: Rounds): Section {
  const named = (name: string, level: number) => `${name}, ${level}`;
  const twins = LEVELS.map((level) => ratioOf(rounds, named(TWIN, level), named(CONSTANT, level), 'rate').median);
  return {
    title: 'Over HTTP',
    notes: [
      'Hand-outs from memory through the local gateway, in a process of its own, each caller with a connection of its own. The callers run on the same machine and take their share of it, for both servers alike. API Gateway itself is not in this.',
    ],
    tables: [
      {
        columns: ['server, callers', 'requests a second', 'p50 ms', 'p99 ms'],
        rows: LEVELS.flatMap((level) =>
          [CONSTANT, BROKER_CASE, TWIN].map((name) => [
            named(name, level),
            spreadText(spreadOf(rounds, named(name, level), 'rate')),
            figure(spreadOf(rounds, named(name, level), 'p50').median),
            figure(spreadOf(rounds, named(name, level), 'p99').median),
          ]),
        ),
      },
    ],
    targets: [
      atMost('p50 at one caller', 2, spreadOf(rounds, named(BROKER_CASE, 1), 'p50').median, ' ms'),
      atLeast('Requests a second at 32 callers', 1_200, spreadOf(rounds, named(BROKER_CASE, 32), 'rate').median),
    ],
    twin: twins.toSorted((a, b) => Math.abs(1 - b) - Math.abs(1 - a))[0] ?? Number.NaN,
  };
}

if (import.meta.main) await serveConstant();
