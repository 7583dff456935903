import type { RequestMint } from '../../functions/core/hand-out/request-mint.ts';
import type { Log, RecordedWait } from './happenings.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Records how the waits of a process go: each asks for a permit, waits, ends, and has ended. */
export function recordWaits(
  requestMint: RequestMint,
  { process, record, time }: { readonly process: SimulatedProcess; readonly record: Log; readonly time: VirtualTime },
): RequestMint {
  return {
    ...requestMint,
    async beginWait(request, isConsistent) {
      const { connection, deadline } = request;
      // A process that is frozen for longer has lost its permit.
      const lastsUntil = time.now() + deadline - process.clock.monotonic();
      const wait = { connection: connection.name, process, lastsUntil };
      const note = (phase: RecordedWait['phase']) =>
        record('wait', { connection: connection.name }, { wait, phase, at: time.now() });
      note('asks');
      try {
        const begun = await requestMint.beginWait(request, isConsistent);
        if (begun === undefined) {
          note('has ended');
          return undefined;
        }
        note('waits');
        return {
          ...begun,
          async end() {
            note('ends');
            await begun.end();
            note('has ended');
          },
        };
      } catch (error) {
        note('has ended');
        throw error;
      }
    },
  };
}
