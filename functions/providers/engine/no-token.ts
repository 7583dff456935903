import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import type { ParsedAnswer } from './answer.ts';
import { type Answered, type Attempt, collectTexts } from './attempt.ts';
import { failure } from './failures.ts';
import { isAboutUser, judgeWithoutToken, type Verdict } from './judge.ts';
import { createVerdictFailure } from './verdict-failure.ts';

/** For a user, no token is the answer about the user (H10). */
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
  const described = describeMissingToken(why, answered?.answer);
  attempt.recorder?.withoutToken(undefined, described);
  return failure('upstream_invalid_response', 'unknown', described);
}

/** A token that is missing, empty, or unusable for the reason given, in words for the caller. */
function describeMissingToken(why: string, answer: Pick<ParsedAnswer, 'content'> | undefined): string {
  if (why === 'empty') return "The upstream's token is empty. It was not taken.";
  if (why !== 'missing') return `The upstream's token ${why}. It was not taken.`;
  if (answer?.content === undefined) {
    return 'The upstream answered with no token, and nothing that is JSON. Check that `baseUrl` and the paths lead to its API.';
  }
  return 'The upstream answered without a token. Check that `baseUrl` and the paths lead to its API.';
}
