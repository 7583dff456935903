import type { SlotRecord } from '../../functions/core/slot/record.ts';
import type { Plan, Start } from './plan.ts';
import { createSmallWorld } from './small-world.ts';

/** Runs a plan to its end, one call after the other, with every fault that it allows; returns what the slot holds then. */
export async function runToEnd(plan: Omit<Plan, 'name'>): Promise<Start & { readonly record: SlotRecord }> {
  const world = createSmallWorld({ name: 'a beginning', ...plan });
  while (!world.isOver()) {
    const choices = world.listChoices();
    const next = choices.find(({ fault }) => fault !== undefined) ?? choices[0];
    if (next !== undefined) await world.take(next);
  }
  const record = world.record();
  if (record === undefined) throw new Error('The slot holds nothing then.');
  return { record, at: world.now() };
}
