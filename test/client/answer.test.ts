import { describe, expect, it } from 'vitest';
import { errorOf } from '../../client/answer.ts';

describe('errorOf', () => {
  it.each([
    ['2', 2_000],
    ['1.5', 2_000],
    ['Mon, 30 Nov 2026 10:00:03 GMT', 3_000],
    ['Monday, 30-Nov-26 10:00:03 GMT', 3_000],
    ['-5', undefined],
    ['in 5', undefined],
    ['2, 2', undefined],
  ])('reads Retry-After: %s (RFC 9110 §10.2.3)', (text, retryAfterMs) => {
    const headers = { 'retry-after': text, date: 'Mon, 30 Nov 2026 10:00:00 GMT' };
    const error = errorOf(new Response('', { status: 503, headers }), '{"code":"cooldown"}');
    expect(error.retryAfterMs).toBe(retryAfterMs);
  });
});
