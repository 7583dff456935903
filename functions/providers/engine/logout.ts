import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import type { Step } from '../../core/slot/provider.ts';
import { describeStatus, type ParsedAnswer } from './answer.ts';
import type { Attempt } from './attempt.ts';
import { createStatusFailure, failure } from './failures.ts';
import { judgeAnswer } from './judge.ts';

/** Judges the answer to a logout: a 2xx ends the token, unless the provider's own words say no. */
export async function judgeLogout(
  { connection: { provider }, kind }: Attempt,
  step: Step,
  answer: ParsedAnswer,
): Promise<UpstreamFailure | undefined> {
  const failed = createStatusFailure(answer);
  if (failed !== undefined || answer.status >= 400) {
    const { code, detail } = failed ?? { code: 'upstream_invalid_response', detail: 'The logout was not taken.' };
    return { ...failure(code, 'unknown', detail), evidence: describeStatus(answer) };
  }
  const verdict = await judgeAnswer({ provider, step, kind }, answer);
  if (verdict === undefined || verdict.means === 'ok') return undefined;
  return {
    ...failure('upstream_invalid_response', 'unknown', 'The upstream says that the logout failed.'),
    evidence: verdict.evidence,
  };
}
