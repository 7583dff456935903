import { describe, expect, it } from 'vitest';
import { harness } from './harness.ts';

describe('memory after the clock of an instance has gone back', () => {
  it('takes up what is read now, so that no outage brings a token back that was replaced', async () => {
    const { broker, instance, fleet, advance, storeDown } = harness();
    const { token: dead } = await broker.handOut();
    await advance({ minutes: 9 });
    await broker.handOut();
    await advance({ minutes: 1 });
    for (const { process } of [instance(0), ...fleet.instances]) process.skewMs = -240_000;
    const { token: renewed } = await broker.handOut({ rejected: dead.hash });
    expect(renewed.generation).toBe(2);
    storeDown();

    expect((await broker.handOut()).token.hash).toBe(renewed.hash);
  });
});
