import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BROKER } from '../../local/functions.ts';
import { configurationFor, environmentIn, HAND_OUT_EVENT, measuredIn } from '../broker.ts';
import { answersFor } from '../loopback/answers.ts';
import { startAwsEndpoint } from '../loopback/aws-endpoint.ts';
import { selfSigned } from '../loopback/certificate.ts';
import { sealedSlot } from '../loopback/sealed-slot.ts';
import { type Rounds, ratioOf, runRounds, type Sample, spreadOf } from '../rounds.ts';
import { atMost, type BenchOptions, figure, type Section, spreadText } from '../section.ts';
import { bundleFunction, bundleProgram } from './bundles.ts';
import { BARE_CLIENT, type ColdCase, coldCases, TOKEN, TOKEN_COLD, TWIN } from './cases.ts';
import { MOST_EAGER_BYTES, type Weight, weightOf } from './weight.ts';

const ROUNDS = { quick: 2, full: 21 };
const LONGEST_START_MS = 30_000;
const MOST_OVER_BARE = 0.7;
/** Modules that a cold start must not load: the SDK's credential chain, STS, X-Ray, ajv, the AWS Encryption SDK. */
const UNWANTED = /sts|sso|signin|imds|credential-provider|xray|ajv|client-node|encryption-sdk|powertools/i;

/** Measures cold starts: every function's real bundle, beside bare ones, each in a process of its own. */
export async function benchCold({ quick, folder }: BenchOptions): Promise<Section> {
  const certificate = selfSigned(folder);
  const endpoint = await startAwsEndpoint(certificate);
  try {
    const configuration = configurationFor(endpoint.url);
    const connection = measuredIn(configuration);
    await endpoint.setAnswers(answersFor(sealedSlot(BROKER, connection)));
    const environment = {
      PATH: process.env['PATH'] ?? '',
      NODE_EXTRA_CA_CERTS: certificate.certificateFile,
      ...(await environmentIn(folder, configuration, endpoint.url)),
    };
    const child = bundleProgram(join(import.meta.dirname, 'child.ts'), join(folder, 'child.mjs')).entry;
    const cases = coldCases(folder, connection);
    const started = (each: ColdCase, more: Readonly<Record<string, string>> = {}) =>
      startCold(child, each, { ...environment, ...each.environment, ...more });

    const token = cases.find(({ name }) => name === TOKEN);
    if (token === undefined) throw new Error('The token function is not among what is started.');
    const listed = await started(token, { BENCH_LIST_MODULES: '1' });
    const rounds = await runRounds(
      cases.map((each) => ({ name: each.name, measure: async () => sampleOf(await started(each)) })),
      quick ? ROUNDS.quick : ROUNDS.full,
    );
    return report(cases, rounds, listed);
  } finally {
    await endpoint.close();
  }
}

/** Starts the deployed token function once, without measuring it: which modules it loads, and when. */
export async function modulesOfHandOut(folder: string): Promise<Start> {
  const certificate = selfSigned(folder);
  const endpoint = await startAwsEndpoint(certificate);
  try {
    const configuration = configurationFor(endpoint.url);
    await endpoint.setAnswers(answersFor(sealedSlot(BROKER, measuredIn(configuration))));
    const child = bundleProgram(join(import.meta.dirname, 'child.ts'), join(folder, 'child.mjs')).entry;
    const bundle = bundleFunction('token', join(folder, 'token'));
    return await startCold(
      child,
      { name: TOKEN, bundle, event: HAND_OUT_EVENT },
      {
        NODE_EXTRA_CA_CERTS: certificate.certificateFile,
        BENCH_LIST_MODULES: '1',
        ...(await environmentIn(folder, configuration, endpoint.url)),
      },
    );
  } finally {
    await endpoint.close();
  }
}

interface Reading {
  readonly cpu: number;
  readonly wall: number;
}

/** The output of the child, see `child.ts`. */
export interface Start {
  readonly load: Reading;
  readonly first: Reading;
  readonly both: Reading;
  readonly whole: Reading;
  readonly status: unknown;
  readonly eagerFiles: readonly string[];
  readonly laterFiles: readonly string[];
  readonly builtins: readonly string[];
}

async function startCold(child: string, { bundle, event }: ColdCase, env: NodeJS.ProcessEnv): Promise<Start> {
  const run = promisify(execFile);
  const { stderr } = await run(process.execPath, [child, bundle.entry, JSON.stringify(event)], {
    env,
    timeout: LONGEST_START_MS,
  });
  // The last line is the child's own; the function under test may have logged before it.
  return JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as Start;
}

function sampleOf({ load, first, both, whole, status }: Start): Sample {
  if (typeof status === 'string') throw new Error(`A function failed: ${status}`);
  return {
    loadCpu: load.cpu,
    firstCpu: first.cpu,
    firstWall: first.wall,
    bothCpu: both.cpu,
    bothWall: both.wall,
    wholeWall: whole.wall,
  };
}

function report(cases: readonly ColdCase[], rounds: Rounds, listed: Start): Section {
  const weights = new Map(cases.map(({ name, bundle }) => [name, weightOf(bundle.metafile)]));
  const token = weights.get(TOKEN);
  const firstOfWarm = spreadOf(rounds, TOKEN, 'firstWall').median / spreadOf(rounds, TOKEN_COLD, 'firstWall').median;
  const firstCpuOfWarm = spreadOf(rounds, TOKEN, 'firstCpu').median / spreadOf(rounds, TOKEN_COLD, 'firstCpu').median;
  const unwanted = unwantedIn(token, listed);
  return {
    title: 'Cold',
    notes: [
      'Each start is a process of its own; the store and KMS are one endpoint over TLS on loopback in another process. "Import and first" is from before the bundle is imported to the first answer; "whole" is from the start of the process. Milliseconds, medians (tenth to ninetieth part). Ratios are to the bare client: a default esbuild bundle of `client-dynamodb` that does one read.',
      'The first hand-out of an instance is one read and one decryption of a data key, over two TLS connections; the bare client has one. `token` does both at INIT (its import), which the first request then finds done.',
      '`exchange` is started with a request that it refuses, `rotation` with an event that names no secret; `mint` and `proxy` with a slot that has a good token, `proxy` with a call that it forwards.',
    ],
    tables: [
      {
        columns: ['', 'import and first, CPU', 'ratio', 'wall', 'ratio', 'import, CPU', 'first, CPU', 'whole, wall'],
        rows: cases.map(({ name }) => [
          name,
          spreadText(spreadOf(rounds, name, 'bothCpu')),
          figure(ratioOf(rounds, name, BARE_CLIENT, 'bothCpu').median),
          spreadText(spreadOf(rounds, name, 'bothWall')),
          figure(ratioOf(rounds, name, BARE_CLIENT, 'bothWall').median),
          figure(spreadOf(rounds, name, 'loadCpu').median),
          figure(spreadOf(rounds, name, 'firstCpu').median),
          figure(spreadOf(rounds, name, 'wholeWall').median),
        ]),
      },
      {
        columns: ['bundle', 'bytes', 'loaded eagerly', 'what fills the eager part'],
        rows: [...weights].filter(([name]) => name !== TWIN).map(([name, weight]) => [name, ...weightCells(weight)]),
      },
    ],
    targets: [
      atMost(
        'Cold token function, import and first hand-out, CPU over the bare client',
        MOST_OVER_BARE,
        ratio(rounds, 'bothCpu'),
      ),
      atMost('The same, wall', MOST_OVER_BARE, ratio(rounds, 'bothWall')),
      atMost('Bytes loaded eagerly', MOST_EAGER_BYTES, token?.eager ?? Number.NaN),
      atMost('First invocation after a warm-up at INIT, over one without, wall', 0.15, firstOfWarm),
      atMost('The same, CPU', 0.15, firstCpuOfWarm),
      {
        what: 'Never X-Ray, STS, the default credential chain, ajv, the AWS Encryption SDK, undici',
        target: 'none loaded',
        measured: unwanted.length === 0 ? 'none' : unwanted.join(', '),
        met: unwanted.length === 0,
      },
    ],
    plot: {
      title: 'Cold start: CPU of import and first answer, over a bare SDK client',
      bars: cases
        .filter(({ name }) => name !== TWIN)
        .map(({ name }) => {
          const { median, low, high } = ratioOf(rounds, name, BARE_CLIENT, 'bothCpu');
          return { name, value: median, low, high, ...(name === TOKEN ? { limit: MOST_OVER_BARE } : {}) };
        }),
    },
    twin: ratioOf(rounds, TWIN, BARE_CLIENT, 'bothCpu').median,
  };
}

function ratio(rounds: Rounds, key: string): number {
  return ratioOf(rounds, TOKEN, BARE_CLIENT, key).median;
}

function weightCells({ total, eager, eagerBy }: Weight): readonly string[] {
  const largest = [...eagerBy].slice(0, 6).map(([name, bytes]) => `${name} ${figure(bytes)}`);
  return [figure(total), figure(eager), largest.join(', ')];
}

function unwantedIn(weight: Weight | undefined, { builtins }: Start): readonly string[] {
  const packages = [...(weight?.eagerBy.keys() ?? [])].filter((name) => UNWANTED.test(name));
  return [...packages, ...builtins.filter((name) => name.includes('undici'))];
}
