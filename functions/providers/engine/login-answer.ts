import type { UpstreamFailure, UpstreamOutcome } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import type { IssuedLife } from '../../core/slot/lifetime.ts';
import type { JsonValue } from '../../core/words/json.ts';
import { Secret } from '../../core/words/secret.ts';
import type { HttpResponse } from '../../http/port.ts';
import type { Login, Provider } from '../provider.ts';
import { contentOf, EMPTY_TOKEN, hasTokenLike, parseJson, readToken } from './answer.ts';
import { serverDateOf } from './answer-clock.ts';
import { attributesOf } from './attributes.ts';
import { accountLocked, failure, heedingRetryAfter, statusFailure } from './failures.ts';
import { claimsOf } from './jwt-claims.ts';
import { lifeOf } from './lifetime.ts';
import { refusalWordsOf } from './refusal-words.ts';
import { forwardable, saysLocked } from './upstream-message.ts';

const REFUSES_CREDENTIAL: readonly number[] = [400, 401, 403];
const LOCKED = 423;

/** All that a login's answer is judged by. */
export interface AnsweredLogin {
  readonly provider: Provider;
  readonly login: Login;
  readonly connection: Connection;
  readonly subject: string;
  /** What the request gave away, and no message may repeat. */
  readonly credentialTexts: readonly string[];
  readonly requestStartedAt: number;
  /** When the answer came; epoch milliseconds. */
  readonly now: number;
}

/** Judges the answer to a login: a token, or the failure it is. Never throws, whatever the upstream answered. */
export function judgeLogin(answered: AnsweredLogin, response: HttpResponse): UpstreamOutcome {
  return heedingRetryAfter(judge(answered, response), response, answered.now);
}

function judge(answered: AnsweredLogin, response: HttpResponse): UpstreamOutcome {
  const { status } = response;
  if (status === 500) {
    return failure(
      'upstream_login_ambiguous',
      'ambiguous_login',
      'The upstream answered 500 to the login: a wrong credential or a fault of its own. Check the credential there.',
    );
  }
  const failed = statusFailure(response);
  if (failed !== undefined) return failed;
  const answer = parseJson(response.body.toString('utf8'));
  return status < 300 ? judgeSuccess(answered, response, answer) : judgeClientError(answered, status, answer);
}

function judgeClientError(answered: AnsweredLogin, status: number, answer: JsonValue | undefined): UpstreamFailure {
  const { provider, login } = answered;
  const { message } = refusalWordsOf(provider, answer);
  const refusesSubject = login.refusesSubject?.includes(status) ?? false;
  const refusesCredential = (login.refusesCredential ?? REFUSES_CREDENTIAL).includes(status);
  const isRefusal = refusesSubject || refusesCredential;
  if (status === LOCKED || (isRefusal && saysLocked(message))) return accountLocked();
  if (refusesSubject) return subjectRejected(answered, `answered ${status}`, message);
  if (refusesCredential) return credentialRejected(answered, `answered ${status}`, message);
  const hint = login.hints?.[status] ?? 'Check `baseUrl` and the paths.';
  return failure('upstream_invalid_response', 'unknown', `The upstream answered ${status} to the login. ${hint}`);
}

function judgeSuccess(answered: AnsweredLogin, response: HttpResponse, answer: JsonValue | undefined): UpstreamOutcome {
  const { provider, login } = answered;
  const { saysNo, saysYes, message } = refusalWordsOf(provider, answer);
  if (saysNo) return judgeRefusal(answered, message);

  const content = contentOf(provider, answer);
  const reading = readToken(provider.tokenAt, response, content);
  if (reading.kind === 'token') return judgeToken(answered, response, reading.value, content);
  const hasNoToken = reading.kind === 'missing' || reading.why === EMPTY_TOKEN;
  // Whoever gives no token and says why has refused, though not in the words documented (C12).
  const isRefusal = hasNoToken && !saysYes && !hasTokenLike(provider, answer);
  if (isRefusal && message !== undefined) return judgeRefusal(answered, message);
  if (reading.kind === 'unusable') {
    return failure('upstream_invalid_response', 'unknown', `The upstream's token ${reading.why}. It was not taken.`);
  }
  if (answer === undefined) {
    return failure(
      'upstream_invalid_response',
      'unknown',
      'The upstream answered with no token, and nothing that is JSON. Check that `baseUrl` and the paths lead to its API.',
    );
  }
  if (login.refusesSubject !== undefined) return subjectRejected(answered, 'answered without a token', undefined);
  return failure(
    'upstream_invalid_response',
    'unknown',
    'The upstream answered without a token. Check that `baseUrl` and the paths lead to its API.',
  );
}

/** A body that says no; one that does not say why is no answer to rely on, unless it may be about the subject. */
function judgeRefusal(answered: AnsweredLogin, message: string | undefined): UpstreamFailure {
  if (saysLocked(message)) return accountLocked();
  if (answered.login.refusesSubject !== undefined) return subjectRejected(answered, 'refused the login', message);
  if (message !== undefined) return credentialRejected(answered, 'refused the login', message);
  return failure(
    'upstream_invalid_response',
    'unknown',
    'The upstream says that the login failed, and not why. Check the credential there.',
  );
}

function judgeToken(
  answered: AnsweredLogin,
  response: HttpResponse,
  token: string,
  content: JsonValue | undefined,
): UpstreamOutcome {
  const { provider, login, connection, subject, requestStartedAt } = answered;
  const owner = login.ownerClaim === undefined ? undefined : claimsOf(token)?.[login.ownerClaim];
  const isStated = owner !== undefined && owner !== null;
  const belongsToOther = isStated && owner !== subject && owner !== Number(subject);
  if (belongsToOther) {
    return failure(
      'upstream_subject_mismatch',
      'unknown',
      'The upstream issued a token of another subject. It was discarded; check that the subject exists there.',
    );
  }
  return {
    kind: 'token',
    value: new Secret(token),
    life: withServerDate(lifeOf({ provider, connection, token, content }), response),
    requestStartedAt,
    attributes: attributesOf(provider, content, requestStartedAt),
  };
}

function withServerDate(life: IssuedLife, response: HttpResponse): IssuedLife {
  const serverDate = serverDateOf(response.headers);
  return serverDate === undefined ? life : { ...life, serverDate };
}

function credentialRejected(answered: AnsweredLogin, what: string, message: string | undefined): UpstreamFailure {
  return failure(
    'upstream_credential_rejected',
    'refused',
    `The upstream ${what}: it does not take the credential of the connection ${answered.connection.name}.${said(answered, message)} Put a credential that it takes into the connection's secret.`,
  );
}

function subjectRejected(answered: AnsweredLogin, what: string, message: string | undefined): UpstreamFailure {
  return failure(
    'upstream_subject_rejected',
    'unknown',
    `The upstream ${what} for the subject ${answered.subject}.${said(answered, message)} Check that the subject exists there and may log in.`,
  );
}

function said(answered: AnsweredLogin, message: string | undefined): string {
  const words = forwardable(message, answered.credentialTexts);
  return words === undefined ? '' : ` It said: "${words}".`;
}
