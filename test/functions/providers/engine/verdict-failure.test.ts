import { describe, expect, it } from 'vitest';
import type { Meaning } from '../../../../functions/core/slot/provider.ts';
import { createVerdictFailure } from '../../../../functions/providers/engine/verdict-failure.ts';
import { connectionOf, providerWith } from '../provider-harness.ts';

function answerOf(status: number) {
  return { status, headers: {}, form: 'JSON' as const, content: {}, text: '', receivedAt: 0 };
}

describe('a verdict', () => {
  const connection = connectionOf('any', 'https://upstream.example', { provider: providerWith() });
  const judged = { connection, subject: '7', texts: ['hunter2-and-more'] };

  it.each<[Exclude<Meaning, 'ok'> | 'unclear', string, string]>([
    ['credential', 'upstream_credential_rejected', 'refused'],
    ['subject', 'upstream_subject_rejected', 'unknown'],
    ['locked', 'upstream_account_locked', 'locked'],
    ['throttled', 'upstream_throttled', 'not_judged'],
    ['session_limit', 'upstream_session_limit', 'unknown'],
    ['misconfigured', 'upstream_request_rejected', 'misconfigured'],
    ['unavailable', 'upstream_unavailable', 'not_judged'],
    ['unusable', 'upstream_invalid_response', 'unknown'],
    ['unclear', 'upstream_login_ambiguous', 'unknown'],
  ])('of %s is %s with the back-off %s, and says its evidence', (means, code, backOff) => {
    for (const status of [200, 400]) {
      const failed = createVerdictFailure({ means, evidence: 'a word' }, { ...judged, answer: answerOf(status) });
      expect(failed).toMatchObject({ kind: 'failure', code, backOff, evidence: 'a word' });
      expect(failed.detail).toMatch(/^[A-Z][^\n]{20,400}\.$/);
    }
  });

  it('of a session limit waits for a session’s life, where that is known', () => {
    const waitOf = (lifetimeSeconds?: number) => {
      const limited = { ...judged, connection: { ...connection, ...(lifetimeSeconds && { lifetimeSeconds }) } };
      const verdict = { means: 'session_limit', evidence: 'e' } as const;
      return createVerdictFailure(verdict, { ...limited, answer: answerOf(503) }).retryAfterMs;
    };
    expect(waitOf(1200)).toBe(1_200_000);
    expect(waitOf()).toBeUndefined();
  });

  it('says what the upstream said, and never the credential (C12)', () => {
    const detailOf = (message: string) =>
      createVerdictFailure({ means: 'misconfigured', evidence: 'e', message }, { ...judged, answer: answerOf(400) })
        .detail;
    expect(detailOf('No such scope.')).toContain('It said: "No such scope."');
    expect(detailOf('hunter2-and-more has no such scope.')).not.toContain('It said');
  });

  it.each<[Exclude<Meaning, 'ok'>]>([['credential'], ['subject'], ['misconfigured'], ['unusable']])(
    'of %s says the hint of its rule (H20)',
    (means) => {
      const verdict = { means, evidence: 'e', hint: 'Upgrade it.' };
      expect(createVerdictFailure(verdict, { ...judged, answer: answerOf(404) }).detail).toContain('Upgrade it.');
    },
  );
});
