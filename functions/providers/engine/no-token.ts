import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import { describeStatus } from './answer.ts';
import { type Answered, type Attempt, collectTexts } from './attempt.ts';
import { failure } from './failures.ts';
import { isAboutUser, judgeWithoutToken, type Verdict } from './judge.ts';
import { createVerdictFailure } from './verdict-failure.ts';

/** Verdict of an answer without a token to a login that names a user: it is about that user (H10). */
const SUBJECT_WITHOUT_TOKEN: Verdict = {
  by: 'token',
  means: 'subject',
  evidence: 'an answer without a token',
  did: 'answered without a token',
};

/** The failure of a login or a refresh that gave no token, or one that is unusable for the reason given. */
export function describeNoToken(attempt: Attempt, answered: Answered | undefined, why = 'missing'): UpstreamFailure {
  const { connection, kind } = attempt;
  const hasNone = why === 'missing' || why === 'empty';
  if (answered !== undefined && hasNone) {
    const { step, answer } = answered;
    const asked = { provider: connection.provider, step, kind };
    const isOfSubject = why === 'missing' && answer.content !== undefined && isAboutUser(asked);
    const verdict = judgeWithoutToken(asked, answer) ?? (isOfSubject ? SUBJECT_WITHOUT_TOKEN : undefined);
    if (verdict !== undefined) {
      attempt.recorder?.withoutToken(verdict, '');
      return createVerdictFailure(verdict, { ...attempt, answer, texts: collectTexts(attempt) });
    }
  }
  const { detail, evidence } = describeMissingToken(why, answered);
  attempt.recorder?.withoutToken(undefined, evidence);
  return { ...failure('upstream_invalid_response', 'unknown', detail), evidence };
}

/** A token that is missing, empty, or unusable for the reason given, in words for the caller and as evidence. */
function describeMissingToken(
  why: string,
  answered: Answered | undefined,
): Pick<UpstreamFailure, 'detail'> & { readonly evidence: string } {
  if (why !== 'missing') {
    const what = why === 'empty' ? 'is empty' : why;
    return { detail: `The upstream's token ${what}. It was not taken.`, evidence: `a token that ${what}` };
  }
  const check = 'Check that `baseUrl` and the paths lead to its API';
  if (answered === undefined)
    return { detail: `The upstream answered without a token. ${check}.`, evidence: 'no answer that has the token' };
  const { answer } = answered;
  const evidence = `no token: ${describeStatus(answer)}`;
  return answer.content === undefined
    ? {
        detail: `The upstream answered with no token, and nothing that is ${answer.form}. ${check}, and whether a firewall is in the way.`,
        evidence,
      }
    : { detail: `The upstream answered without a token. ${check}.`, evidence };
}
