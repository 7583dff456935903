import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BROKER } from '../../local/functions.ts';
import { configurationFor, environmentIn, HAND_OUT_EVENT, measuredIn } from '../broker.ts';
import { bundleFunction, bundleInOne } from '../cold/bundles.ts';
import { answersFor } from '../loopback/answers.ts';
import { startAwsEndpoint } from '../loopback/aws-endpoint.ts';
import { selfSigned } from '../loopback/certificate.ts';
import { sealedSlot } from '../loopback/sealed-slot.ts';
import { type BenchOptions, figure, type Section } from '../section.ts';

const HAND_OUTS = { quick: 20_000, full: 1_000_000 };
const LONGEST_MS = 240_000;
const MEGABYTE = 1024 * 1024;

/** Measures what the token function keeps: resident set at rest, and after a million hand-outs. */
export async function benchMemory({ quick, folder }: BenchOptions): Promise<Section> {
  const count = quick ? HAND_OUTS.quick : HAND_OUTS.full;
  const certificate = selfSigned(folder);
  const endpoint = await startAwsEndpoint(certificate);
  try {
    const configuration = configurationFor('https://helpmaster.example');
    await endpoint.setAnswers(answersFor(sealedSlot(BROKER, measuredIn(configuration))));
    const child = bundleInOne('memory', join(folder, 'memory'), 'esm', join(import.meta.dirname, 'child.ts')).entry;
    const { entry } = bundleFunction('token', join(folder, 'memory-token'));
    const { stderr } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', child, entry, JSON.stringify(HAND_OUT_EVENT), String(count)],
      {
        env: {
          NODE_EXTRA_CA_CERTS: certificate.certificateFile,
          ...(await environmentIn(folder, configuration, endpoint.url)),
        },
        timeout: LONGEST_MS,
        // Two lines a hand-out go to standard output, and are dropped as they come.
        maxBuffer: Number.POSITIVE_INFINITY,
      },
    );
    return report(count, JSON.parse(stderr.trim().split('\n').at(-1) ?? ''), await endpoint.counts());
  } finally {
    await endpoint.close();
  }
}

/** The output of the child, in bytes. */
interface Kept {
  readonly bare: number;
  readonly atRest: number;
  readonly after: number;
  readonly heapAtRest: number;
  readonly heapAfter: number;
  /** Bytes of log lines a hand-out. */
  readonly logged: number;
}

function report(count: number, kept: Kept, asked: Readonly<Record<string, number>>): Section {
  const megabytes = (bytes: number) => `${figure(bytes / MEGABYTE)} MB`;
  return {
    title: 'Memory',
    notes: [
      `The deployed bundle, one instance, one slot: at rest after its first hand-out, and after ${figure(count)} more. The heap is after a collection.`,
      `AWS requests for all of them: ${Object.entries(asked)
        .map(([target, times]) => `${target.split('.').at(-1)} ${figure(times)}`)
        .join(', ')}. One hand-out writes ${figure(kept.logged)} bytes of log.`,
    ],
    tables: [
      {
        columns: ['', 'resident set', 'heap in use'],
        rows: [
          ['Node alone', megabytes(kept.bare), '–'],
          ['at rest', megabytes(kept.atRest), megabytes(kept.heapAtRest)],
          [`after ${figure(count)} hand-outs`, megabytes(kept.after), megabytes(kept.heapAfter)],
        ],
      },
    ],
    targets: [
      {
        what: 'Heap after a million hand-outs, over rest',
        target: '≤ 2 MB more',
        measured: `${figure((kept.heapAfter - kept.heapAtRest) / MEGABYTE)} MB`,
        met: kept.heapAfter - kept.heapAtRest <= 2 * MEGABYTE,
      },
    ],
  };
}
