import { type Profiler, Session } from 'node:inspector/promises';

const SAMPLE_US = 200;

/** The stacks seen in one process, and the CPU time of its main thread meanwhile, sampling included. */
export interface Profiled {
  readonly profile: Profiler.Profile;
  readonly cpuMs: number;
}

/** Samples the stack of this process until the function it gives is called, which gives what was seen. */
export async function startProfile(): Promise<() => Promise<Profiled>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  await session.post('Profiler.start');
  const before = process.threadCpuUsage();
  return async () => {
    const { user, system } = process.threadCpuUsage(before);
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    return { profile, cpuMs: (user + system) / 1_000 };
  };
}
