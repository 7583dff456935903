import { forkModule } from '../child-process.ts';

/** The longest that a process spins, whatever becomes of its parent. */
const LONGEST_MS = 120_000;
const SLICE_MS = 50;

/** Keeps so many processes busy until it is closed, so that whatever is measured meanwhile has a part of the machine alone. */
export async function startLoad(processes: number) {
  const children = Array.from({ length: processes }, () => forkModule(import.meta.url));
  await Promise.all(children.map((child) => child.ask()));
  return { close: () => Promise.all(children.map((child) => child.close())) };
}

if (import.meta.main) {
  const until = performance.now() + LONGEST_MS;
  const spin = () => {
    const slice = Math.min(performance.now() + SLICE_MS, until);
    while (performance.now() < slice);
    if (performance.now() >= until) process.exit(0);
    setImmediate(spin);
  };
  process.on('disconnect', () => process.exit(0));
  process.send?.('spins', spin);
}
