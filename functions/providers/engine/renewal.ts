import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import type { Step } from '../../core/slot/provider.ts';
import { asksToWait, describeStatus, isEmpty, type ParsedAnswer } from './answer.ts';
import type { Attempt } from './attempt.ts';
import { createStatusFailure, failure } from './failures.ts';
import { judgeAnswer } from './judge.ts';

const UNAUTHORIZED = 401;

/**
 * Judges the answer to a slide by its status. Only a 2xx renews; anything else leaves the old token and its expiry as
 * they are (C15, C16). 401 says that the old token is dead, 403 does not (C19). A 401 that may come from a firewall or
 * a rate limit does not say so either: a login follows, and the token stays. No answer to a slide proves anything of
 * the credential, or locks anything.
 */
export function judgeRenewal(answer: ParsedAnswer, { url }: Step): UpstreamFailure | undefined {
  const { status } = answer;
  const failed = createStatusFailure(answer);
  if (failed !== undefined || status < 400) return failed;
  return { ...describeRefusal(status, findSetting(url)), ...readSessionEnd(answer), evidence: describeStatus(answer) };
}

/** Reads from a refused renewal whether the session has ended. */
function readSessionEnd(answer: ParsedAnswer): Pick<UpstreamFailure, 'ended' | 'unrenewed'> {
  if (answer.status !== UNAUTHORIZED) return {};
  const isOwnWord = (isEmpty(answer) || answer.content !== undefined) && !asksToWait(answer);
  return isOwnWord ? { ended: true } : { unrenewed: true };
}

function describeRefusal(status: number, setting: string): UpstreamFailure {
  switch (status) {
    case UNAUTHORIZED:
      return failure('upstream_invalid_response', 'unknown', 'The upstream answered 401 to the current token.');
    case 403:
      return failure(
        'upstream_subject_rejected',
        'unknown',
        `The upstream answered 403 to the keep-alive call. Check that the account may use ${setting}, and whether a firewall is in the way.`,
      );
    default:
      return failure(
        'upstream_invalid_response',
        'unknown',
        `The upstream answered ${status} to the keep-alive call. Check ${setting}, and whether a firewall is in the way.`,
      );
  }
}

/** A token that an answer did not renew, and how. */
export function createNotRenewedFailure(why: string, { url }: Step): UpstreamFailure {
  const detail = `The token in the answer to the keep-alive call ${why}. The current one is kept; check that ${findSetting(url)} is a gated path.`;
  const evidence = `the token in the answer to the keep-alive call ${why}`;
  return { ...failure('upstream_invalid_response', 'unknown', detail), evidence, unrenewed: true };
}

/** Judges an answer that brings no token by the provider's own words: a 2xx may say no. */
export async function judgeKept(
  { connection: { provider }, kind }: Attempt,
  step: Step,
  answer: ParsedAnswer,
): Promise<UpstreamFailure | undefined> {
  const verdict = await judgeAnswer({ provider, step, kind }, answer);
  return verdict === undefined || verdict.means === 'ok' ? undefined : createNotKeptFailure(verdict.evidence, step);
}

function createNotKeptFailure(evidence: string, { url }: Step): UpstreamFailure {
  const detail = `The upstream says that the keep-alive call failed (${evidence}). The current token keeps its end; check ${findSetting(url)}.`;
  return { ...failure('upstream_invalid_response', 'unknown', detail), evidence, unrenewed: true };
}

/** The setting that a URL is, else the URL's own text. */
function findSetting(url: string): string {
  return `\`${/^\{(\w+)\}$/.exec(url)?.[1] ?? url}\``;
}
