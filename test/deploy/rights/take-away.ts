import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { createCaller } from '../aws-calls.ts';
import type { Environment } from '../place.ts';
import { putPolicy, type Right } from './policies.ts';
import type { Probe } from './probes.ts';

/** How a right was missed: by a step that failed, or by a call of the function that was refused while the step went on. */
export interface Missed {
  readonly probe: Probe;
  readonly how: 'the step failed' | 'a call was refused';
}

/** The rights whose use the emulator does not model, and what the table has for the step that would miss them. */
export const NOT_EMULATED = {
  probe: 'not emulated',
  rights: ['schedule: sqs:SendMessage on the queue of what could not be done'],
};

const sized = z.object({ MemorySize: z.number() });
const SETTLES_WITHIN_MS = 300;
/** Back-offs and lockouts after what went wrong are over by then. */
const RECOVERS_WITHIN_MS = 60_000;

/**
 * Creates what takes a right away, runs the steps that need the function, and puts it back. `tryWithout` gives the first step
 * that missed it; undefined where none did, even after the function was restarted, so that it remembers nothing.
 */
export function createTakeAway(options: {
  readonly owner: Environment;
  readonly probes: readonly Probe[];
  readonly logFile: string;
}): { tryWithout(right: Right): Promise<Missed | undefined> } {
  const { owner, probes, logFile } = options;

  /** Starts a function again by setting its memory to what it is: the emulator does so for what an instance is started with. */
  async function restart(functionName: string | undefined): Promise<void> {
    if (functionName === undefined) return;
    const call = createCaller(owner['AWS_ENDPOINT_URL'] ?? '', owner, 'lambda');
    const target = `/2015-03-31/functions/${functionName}/configuration`;
    const { MemorySize } = sized.parse(JSON.parse((await call('GET', target)).body));
    const { status, body: said } = await call('PUT', target, { body: JSON.stringify({ MemorySize }) });
    if (status !== 200) throw new Error(`${functionName} could not be restarted: ${said}`);
  }

  async function runAll({ policy, text }: Right): Promise<Missed | undefined> {
    const ofRole = probes.filter(({ of }) => of.includes(policy.of));
    const about = ofRole.filter((each) => each.about?.test(text));
    for (const probe of about.length > 0 ? about : ofRole.filter((each) => each.about === undefined)) {
      const refusals = followRefusals(logFile, policy.role);
      try {
        await probe.run();
      } catch {
        return { probe, how: 'the step failed' };
      }
      await sleep(SETTLES_WITHIN_MS);
      if (refusals.read(probe).length > 0) return { probe, how: 'a call was refused' };
    }
    return undefined;
  }

  /** Runs a step with all rights until it is done, so that what was missed is the right and nothing else. */
  async function runAgain({ name, run }: Probe, { text }: Right): Promise<void> {
    for (const end = Date.now() + RECOVERS_WITHIN_MS; ; await sleep(RECOVERS_WITHIN_MS / 10)) {
      try {
        return await run();
      } catch (error) {
        if (Date.now() < end) continue;
        throw new Error(`"${name}" does not come back with ${text}, and proves nothing.`, { cause: error });
      }
    }
  }

  return {
    async tryWithout(right) {
      let missed: Missed | undefined;
      await putPolicy(owner, right.policy, right.without);
      try {
        missed = await runAll(right);
        if (missed === undefined) {
          await restart(right.policy.functionName);
          missed = await runAll(right);
        }
      } finally {
        await putPolicy(owner, right.policy, right.policy.document);
      }
      if (missed !== undefined) await runAgain(missed.probe, right);
      return missed;
    },
  };
}

/**
 * Follows the emulator's log: `read` gives the calls of a role that were refused since then, or since the last look, but
 * for those that the step itself had refused.
 */
export function followRefusals(
  logFile: string,
  role = '',
): { read(probe: Pick<Probe, 'provokes'>): readonly string[] } {
  const file = openSync(logFile, 'r');
  let at = fstatSync(file).size;
  closeSync(file);
  return {
    read({ provokes }) {
      const log = openSync(logFile, 'r');
      try {
        const { size } = fstatSync(log);
        const added = Buffer.alloc(Math.max(0, size - at));
        readSync(log, added, 0, added.length, at);
        at = size;
        const lines = added.toString('utf8').split('\n');
        return lines.filter(
          (line) =>
            line.includes('refused: ') &&
            line.includes(`:assumed-role/${role}`) &&
            !(provokes !== undefined && line.includes(` ${provokes} `)),
        );
      } finally {
        closeSync(log);
      }
    },
  };
}
