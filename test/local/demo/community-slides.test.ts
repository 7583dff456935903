import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommunityKnobs, startDemoCommunity } from '../../../local/demo/community.ts';
import type { DemoUpstream } from '../../../local/demo/demo-upstream.ts';
import { communityCall, communityLogin, communityToken, slidToken } from './demo-client.ts';

let upstream: DemoUpstream<CommunityKnobs>;
let token: string;
beforeEach(async () => {
  upstream = await startDemoCommunity();
  token = communityToken(await communityLogin(upstream));
});
afterEach(() => upstream.close());

/** The header lines named WFMSGAPIKEY, as they came. */
function tokenLines(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toUpperCase() === 'WFMSGAPIKEY');
}

describe('the slides of the demo CommunityWebAPI', () => {
  it('C15: every gated answer carries a new token that works', async () => {
    const first = slidToken(await communityCall(upstream, token));
    const second = slidToken(await communityCall(upstream, first, '/any/path'));
    expect(new Set([token, first, second]).size).toBe(3);
    expect((await communityCall(upstream, second)).status).toBe(200);
    expect(upstream.ledger().slides.map(({ subject, status }) => `${subject} ${status}`)).toEqual([
      'system 200',
      'system 200',
      'system 200',
    ]);
    expect(upstream.ledger().calls).toHaveLength(3);
  });

  it('C15, C17: a slid token lives 20 minutes of its own, and does not lengthen the older', async () => {
    upstream.setKnobs({ clockOffsetSeconds: 1100 });
    const slid = slidToken(await communityCall(upstream, token));
    upstream.setKnobs({ clockOffsetSeconds: 1300 });
    const ended = await communityCall(upstream, token);
    expect([ended.status, ended.headers['wfmsgapikey']]).toEqual([401, undefined]);
    upstream.setKnobs({ clockOffsetSeconds: 2200 });
    expect((await communityCall(upstream, slid)).status).toBe(200);
  });

  it('C15: an answer that is an error slides too, a forced 401 among them', async () => {
    for (const callStatus of [401, 404, 500]) {
      upstream.setKnobs({ callStatus });
      const received = await communityCall(upstream, token);
      expect(received.status).toBe(callStatus);
      expect(slidToken(received)).toMatch(/^\+\//);
    }
    expect((await communityCall(upstream, 'unknown')).headers['wfmsgapikey']).toBeUndefined();
    expect(upstream.ledger().slides.map(({ status }) => status)).toEqual([401, 404, 500]);
  });

  it('C16: sends no slide, an empty one, or the same token if told so', async () => {
    upstream.setKnobs({ slide: 'missing' });
    expect((await communityCall(upstream, token)).headers['wfmsgapikey']).toBeUndefined();
    upstream.setKnobs({ slide: 'empty' });
    expect(tokenLines((await communityCall(upstream, token)).rawHeaders)).toEqual(['']);
    expect(upstream.ledger().slides).toEqual([]);
    upstream.setKnobs({ slide: 'same' });
    expect(slidToken(await communityCall(upstream, token))).toBe(token);
    expect(upstream.ledger().slides).toHaveLength(1);
  });

  it('C16: repeats the header, or sends two that conflict, if told so', async () => {
    upstream.setKnobs({ slide: 'repeated' });
    const repeated = tokenLines((await communityCall(upstream, token)).rawHeaders);
    expect(repeated).toHaveLength(2);
    expect(new Set(repeated).size).toBe(1);
    upstream.setKnobs({ slide: 'conflicting' });
    const conflicting = tokenLines((await communityCall(upstream, token)).rawHeaders);
    expect(conflicting).toHaveLength(2);
    expect(new Set(conflicting).size).toBe(2);
    expect(upstream.ledger().slides).toHaveLength(2);
  });

  it('sends CR and LF inside the header if told so, which a strict client cannot read', async () => {
    upstream.setKnobs({ slide: 'crlf' });
    await expect(communityCall(upstream, token)).rejects.toThrow(/Parse Error/);
    expect(upstream.ledger().slides).toHaveLength(1);
    upstream.setKnobs({ slide: 'normal' });
    expect((await communityCall(upstream, token)).status).toBe(200);
  });

  it('C18: older tokens live on, or end with the newer if told so', async () => {
    const newer = slidToken(await communityCall(upstream, token));
    expect((await communityCall(upstream, token)).status).toBe(200);
    expect((await communityCall(upstream, newer)).status).toBe(200);

    upstream.setKnobs({ tokensOverlap: false });
    const only = communityToken(await communityLogin(upstream));
    expect((await communityCall(upstream, newer)).status).toBe(401);
    const next = slidToken(await communityCall(upstream, only));
    expect((await communityCall(upstream, only)).status).toBe(401);
    expect((await communityCall(upstream, next)).status).toBe(200);
  });

  it('C18: a lost answer still ended the older token where tokens do not overlap', async () => {
    upstream.setKnobs({ tokensOverlap: false, reset: 'after' });
    await expect(communityCall(upstream, token)).rejects.toThrow();
    upstream.setKnobs({ reset: 'none' });
    expect((await communityCall(upstream, token)).status).toBe(401);
    expect(upstream.ledger().slides.map(({ status }) => status)).toEqual([0]);
  });

  // Two real answers race here, 100 ms apart: a stalled machine may let the wrong one win once.
  it('C18: answers out of order if told so', { retry: 2 }, async () => {
    // Off and on again: the count restarts.
    upstream.setKnobs({ outOfOrder: false });
    upstream.setKnobs({ outOfOrder: true });
    upstream.clearLedger();
    const order: string[] = [];
    const seen = () => upstream.ledger().calls.length;
    const first = communityCall(upstream, token, '/first').then(() => order.push('first'));
    await expect.poll(seen, { interval: 2 }).toBe(1);
    const second = communityCall(upstream, token, '/second').then(() => order.push('second'));
    await Promise.all([first, second]);
    expect(order).toEqual(['second', 'first']);
    expect(upstream.ledger().calls.map(({ path }) => path.split('/').at(-1))).toEqual(['first', 'second']);
  });

  it('ends a session early after so many slides, older tokens too, and takes a new login', async () => {
    upstream.setKnobs({ maxSlides: 2 });
    const first = slidToken(await communityCall(upstream, token));
    const second = slidToken(await communityCall(upstream, first));
    for (const ended of [token, first, second]) expect((await communityCall(upstream, ended)).status).toBe(401);
    const fresh = communityToken(await communityLogin(upstream));
    expect((await communityCall(upstream, fresh)).status).toBe(200);
  });

  it('C19: ends every session when all tokens are revoked, slid ones too', async () => {
    const slid = slidToken(await communityCall(upstream, token));
    upstream.setKnobs({ revokeIssued: true });
    for (const ended of [token, slid]) expect((await communityCall(upstream, ended)).status).toBe(401);
  });
});
