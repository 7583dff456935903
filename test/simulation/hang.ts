import { request, type Stage } from './actions.ts';
import { slotsOf } from './run.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Has an upstream answer no login for a while, in which all of its subjects are asked for, and their tokens reported. */
export async function hang(stage: Stage, hanging: SeededRandom): Promise<void> {
  const { run } = stage;
  const { world, instances } = run;
  const { name = '' } = run.scenario.connections[hanging.integer(0, run.scenario.connections.length - 1)] ?? {};
  const slots = slotsOf(run).filter(({ connection, slot }) => slot.connection === name && connection.tokensOverlap);
  run.actions.push({ at: world.time.now(), what: `the upstream of ${name} hangs, and all ask for its tokens` });
  world.weather.upstream.hangs = name;
  for (let rounds = hanging.integer(2, 6); rounds > 0; rounds -= 1) {
    for (const target of slots) {
      const instance = instances[hanging.integer(0, instances.length - 1)];
      const rejectedHash = world.table.get(target.slot)?.token?.hash;
      if (instance !== undefined)
        void request(stage, instance, target, rejectedHash === undefined ? {} : { rejectedHash });
    }
    await world.time.advance(hanging.integer(1_000, 40_000));
  }
  world.weather.upstream.hangs = undefined;
}
