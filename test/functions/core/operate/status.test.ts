import { describe, expect, it } from 'vitest';
import { createSlotListing } from '../../../../functions/core/operate/status.ts';
import { harness } from '../../../protocol/harness.ts';

/** A world, and the listing of its slots. */
function listing() {
  const made = harness();
  const list = createSlotListing(made.operators);
  return { ...made, page: (after?: string) => made.time.settle(list(made.connection, after)) };
}

describe('createSlotListing', () => {
  it('gives a slot its state: refreshing, else cooldown, else fresh, else empty', async () => {
    const { broker, upstream, fleet, weather, advance, page } = listing();
    const states = async () => Object.fromEntries((await page()).slots.map(({ subject, state }) => [subject, state]));
    await broker.handOut({ subject: '1' });
    upstream.planned.push('broken');
    await broker.refusal({ subject: '2' });
    await broker.handOut({ subject: '3' });
    await broker.purge('3');
    weather.invoker.crashWithinSteps = 0;
    fleet.planned.push('crash');
    await broker.refusal({ subject: '4' });
    expect(await states()).toEqual({ '1': 'fresh', '2': 'cooldown', '3': 'empty', '4': 'refreshing' });
    await advance({ seconds: 18 });
    expect(await states()).toMatchObject({ '4': 'cooldown' });
    await advance({ hours: 25 });

    expect(await states()).toMatchObject({ '1': 'empty' });
  });

  it('shows a refused credential beside a good token as cooldown, with the last error', async () => {
    const { broker, upstream, advance, page } = listing();
    await broker.handOut();
    upstream.rules.accepted.clear();
    await advance({ hours: 20 });
    await broker.sweep();
    await advance({ minutes: 5 });

    expect((await page()).slots[0]).toMatchObject({
      state: 'cooldown',
      lastError: { code: 'upstream_credential_rejected' },
    });
  });

  it('leaves out slots of another fingerprint', async () => {
    const { broker, putOutdated, page } = listing();
    await broker.handOut({ subject: '88' });
    putOutdated({});

    expect((await page()).slots.map(({ subject }) => subject)).toEqual(['88']);
  });

  it('goes on page by page to the last slot, each of them once', async () => {
    const { put, page } = listing();
    const subjects = Array.from({ length: 205 }, (_, n) => String(n + 1_000));
    for (const subject of subjects) put({}, subject);
    const pages = [await page()];
    for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next) pages.push(await page(next));

    expect(pages.map(({ slots }) => slots.length)).toEqual([100, 100, 5]);
    expect(pages.flatMap(({ slots }) => slots.map(({ subject }) => subject))).toEqual(subjects);
  });

  it('says when a token began, ends and is refreshed, and nothing of it where there is none', async () => {
    const { broker, page } = listing();
    const { token } = await broker.handOut({ subject: '1' });
    await broker.handOut({ subject: '2' });
    await broker.purge('2');
    const { issuedAt, expiresAt, refreshAt } = token;
    const none = { issuedAt: undefined, expiresAt: undefined, refreshAt: undefined };

    expect((await page()).slots).toEqual([
      { subject: '1', state: 'fresh', issuedAt, expiresAt, refreshAt, generation: 1, lastError: undefined },
      { subject: '2', state: 'empty', ...none, generation: 2, lastError: undefined },
    ]);
  });
});
