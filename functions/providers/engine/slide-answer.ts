import type { UpstreamFailure, UpstreamOutcome } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import { Secret } from '../../core/words/secret.ts';
import type { HttpResponse } from '../../http/port.ts';
import type { Provider, Slide } from '../provider.ts';
import { readToken } from './answer.ts';
import { serverDateOf } from './answer-clock.ts';
import { accountLocked, failure, heedingRetryAfter, statusFailure } from './failures.ts';
import { lifeOf } from './lifetime.ts';

/** All that a slide's answer is judged by. */
export interface AnsweredSlide {
  readonly provider: Provider;
  readonly slide: Slide;
  readonly connection: Connection;
  /** The token that the request went out with. */
  readonly current: Secret<string>;
  readonly requestStartedAt: number;
  /** When the answer came; epoch milliseconds. */
  readonly now: number;
}

/**
 * Judges the answer to a slide. Only a 2xx renews, with exactly one new token in its header; anything else leaves the
 * old token and its expiry as they are (C15, C16). 401 says that the old token is dead, 403 does not (C19).
 */
export function judgeSlide(answered: AnsweredSlide, response: HttpResponse): UpstreamOutcome {
  return heedingRetryAfter(judge(answered, response), response, answered.now);
}

function judge(answered: AnsweredSlide, response: HttpResponse): UpstreamOutcome {
  const failed = statusFailure(response) ?? clientError(response.status);
  if (failed !== undefined) return failed;

  const { provider, connection, slide, requestStartedAt } = answered;
  const reading = readToken(slide.tokenAt, response, undefined);
  if (reading.kind === 'missing') return notRenewed('is missing');
  if (reading.kind === 'unusable') return notRenewed(reading.why);
  if (reading.value === answered.current.reveal()) return notRenewed('is the old one');
  const serverDate = serverDateOf(response.headers);
  return {
    kind: 'token',
    value: new Secret(reading.value),
    life: {
      ...lifeOf({ provider, connection, token: reading.value, content: undefined }),
      ...(serverDate === undefined ? {} : { serverDate }),
    },
    requestStartedAt,
  };
}

function clientError(status: number): UpstreamFailure | undefined {
  if (status < 400) return undefined;
  switch (status) {
    case 401:
      return {
        ...failure('upstream_invalid_response', 'unknown', 'The upstream answered 401 to the current token.'),
        unauthorized: true,
      };
    case 403:
      return failure(
        'upstream_subject_rejected',
        'unknown',
        'The upstream answered 403 to the keep-alive call. Check that the account may use `keepAlivePath`.',
      );
    case 423:
      return accountLocked();
    default:
      return failure(
        'upstream_invalid_response',
        'unknown',
        `The upstream answered ${status} to the keep-alive call. Check \`keepAlivePath\`.`,
      );
  }
}

function notRenewed(why: string): UpstreamFailure {
  return failure(
    'upstream_invalid_response',
    'unknown',
    `The token in the answer to the keep-alive call ${why}. The current one is kept; check that \`keepAlivePath\` is a gated path.`,
  );
}
