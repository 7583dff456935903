import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BROKER } from '../../local/functions.ts';
import { configurationFor, environmentIn, HAND_OUT_EVENT, measuredIn } from '../broker.ts';
import { bundleFunction, bundleProgram } from '../cold/bundles.ts';
import { answersFor, answersForItems } from '../loopback/answers.ts';
import { startAwsEndpoint } from '../loopback/aws-endpoint.ts';
import { selfSigned } from '../loopback/certificate.ts';
import { sealedSlot } from '../loopback/sealed-slot.ts';
import { type BenchOptions, figure, type Section } from '../section.ts';

const SIZE = { quick: { count: 20_000, slots: 50 }, full: { count: 1_000_000, slots: 1_000 } };
const LONGEST_MS = 240_000;
const MEGABYTE = 1024 * 1024;

/** Measures what the token function keeps: resident set at rest, and after a million hand-outs. */
export async function benchMemory({ quick, folder }: BenchOptions): Promise<Section> {
  const { count, slots } = quick ? SIZE.quick : SIZE.full;
  const certificate = selfSigned(folder);
  const endpoint = await startAwsEndpoint(certificate);
  try {
    const configuration = configurationFor('https://helpmaster.example');
    const connection = measuredIn(configuration);
    const own = sealedSlot(BROKER, connection);
    const items = Array.from({ length: slots }, (_, n) => sealedSlot(BROKER, connection, `${n + 1}`, own.dataKey).item);
    await endpoint.setAnswers({ ...answersFor(own), ...answersForItems(items) });
    const child = bundleProgram(join(import.meta.dirname, 'child.ts'), join(folder, 'memory.mjs')).entry;
    const { entry } = bundleFunction('token', join(folder, 'memory-token'));
    const { stderr } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', child, entry, JSON.stringify(HAND_OUT_EVENT), String(count), String(slots)],
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
    return report({ count, slots }, JSON.parse(stderr.trim().split('\n').at(-1) ?? ''), await endpoint.counts());
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
  /** After a token each of many slots besides. */
  readonly filled: number;
  readonly heapFilled: number;
  /** Bytes of log lines a hand-out. */
  readonly logged: number;
}

function report({ count, slots }: (typeof SIZE)['full'], kept: Kept, asked: Readonly<Record<string, number>>): Section {
  const megabytes = (bytes: number) => `${figure(bytes / MEGABYTE)} MB`;
  return {
    title: 'Memory',
    notes: [
      `The deployed bundle, one instance, one slot: at rest after its first hand-out, after ${figure(count)} more, and after one each of ${figure(slots)} other slots. The heap is after a collection.`,
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
          [`with ${figure(slots)} slots more`, megabytes(kept.filled), megabytes(kept.heapFilled)],
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
      {
        what: `Heap with ${figure(slots)} slots more`,
        target: '≤ 10 MB more',
        measured: `${figure((kept.heapFilled - kept.heapAfter) / MEGABYTE)} MB`,
        met: kept.heapFilled - kept.heapAfter <= 10 * MEGABYTE,
      },
    ],
  };
}
