import type { UpstreamFailure } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import type { ParsedAnswer } from './answer.ts';
import { failure } from './failures.ts';
import type { Verdict } from './judge.ts';
import { forwardable } from './upstream-message.ts';

/** The login that was judged, to describe its failure. */
export interface Judged {
  readonly connection: Connection;
  readonly subject: string;
  /** Texts that the request gave away, and no message may repeat. */
  readonly texts: readonly string[];
  readonly answer: ParsedAnswer;
}

/** The failure that a verdict stands for, in words for the caller. */
export function createVerdictFailure(verdict: Omit<Verdict, 'by'>, judged: Judged): UpstreamFailure {
  return { ...createMeaningFailure(verdict, judged), evidence: verdict.evidence };
}

function createMeaningFailure(verdict: Omit<Verdict, 'by'>, judged: Judged): UpstreamFailure {
  const { connection, subject, answer } = judged;
  const words = forwardable(verdict.message, judged.texts);
  const said = words === undefined ? '' : ` It said: "${words}".`;
  const hint = verdict.hint === undefined ? '' : ` ${verdict.hint}`;
  const what = verdict.did ?? (answer.status < 300 ? 'refused the login' : `answered ${answer.status}`);
  switch (verdict.means) {
    case 'credential':
      if (connection.keptSecret !== undefined && verdict.ofClient !== true)
        return failure(
          'reauthorization_required',
          'refused',
          `The upstream ${what}: it does not take the refresh token of the connection ${connection.name}.${said}${hint} Consent again, and put the new refresh token into the connection's secret.`,
        );
      return failure(
        'upstream_credential_rejected',
        'refused',
        `The upstream ${what}: it does not take the credential of the connection ${connection.name}.${said}${hint} Put a credential that it takes into the connection's secret.`,
      );
    case 'subject':
      return failure(
        'upstream_subject_rejected',
        'unknown',
        `The upstream ${what} for the subject ${subject}.${said}${hint} Check that the subject exists there and may log in.`,
      );
    case 'locked':
      return createLockedFailure();
    case 'throttled':
      return failure('upstream_throttled', 'not_judged', `The upstream ${what}: too many requests.${said}`);
    case 'session_limit':
      return createSessionLimitFailure(connection, `The upstream ${what}`, said);
    case 'misconfigured':
      return failure(
        'upstream_request_rejected',
        'misconfigured',
        `The upstream says that the request is wrong, not the credential.${said}${hint} Mend the connection's settings and deploy them.`,
      );
    case 'unavailable':
      return failure('upstream_unavailable', 'not_judged', `The upstream ${what}: it is not available.${said}`);
    case 'unusable':
      return createUnusableFailure(verdict, answer, said);
    case 'unclear':
      return failure(
        'upstream_login_ambiguous',
        'unknown',
        `The upstream answered ${answer.status} to the login, ${describeDoubt(verdict)}.${said}${hint} It is tried again; if this stays, check the credential there.`,
      );
  }
}

/** Describes why a refusal is not for good, to follow the status. */
function describeDoubt({ by }: Partial<Verdict>): string {
  return by === 'refusal' || by === 'oauth'
    ? 'and says when to come back: a rate limit may be in the way'
    : 'not in the words of its API: a firewall or a rate limit may be in the way';
}

function createUnusableFailure(
  { hint, evidence }: Pick<Verdict, 'hint' | 'evidence'>,
  { status }: ParsedAnswer,
  said: string,
): UpstreamFailure {
  const detail =
    status < 300
      ? `The upstream says that the login failed (${evidence}).${said} ${hint ?? 'Check the credential there.'}`
      : `The upstream answered ${status} to the login. ${hint ?? 'Check `baseUrl` and the paths.'}`;
  return failure('upstream_invalid_response', 'unknown', detail);
}

/** An account with as many sessions as it may have: one ends within a session's life, if that is known. */
function createSessionLimitFailure({ lifetimeSeconds }: Connection, what: string, said: string): UpstreamFailure {
  const detail = `${what}: this account has as many sessions as it may have.${said} It is tried again when one may have ended.`;
  const failed = failure('upstream_session_limit', 'unknown', detail);
  return lifetimeSeconds === undefined ? failed : { ...failed, retryAfterMs: lifetimeSeconds * 1000 };
}

/** An account that the upstream has locked. */
function createLockedFailure(): UpstreamFailure {
  return failure(
    'upstream_account_locked',
    'locked',
    'The upstream says that the account is locked. Unlock it there; it is left alone for half an hour.',
  );
}
