import type { UpstreamFailure, UpstreamOutcome } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import { isBearer } from '../../core/slot/placement.ts';
import type { Attribute, Placement, Provider } from '../../core/slot/provider.ts';
import type { JsonObject, JsonValue } from '../../core/words/json.ts';
import type { HttpResponse } from '../../http/port.ts';
import { isHeaderSafe, openEnvelope, type ParsedAnswer, type Reading, valueAt } from './answer.ts';
import { readRetryAfterMs } from './answer-clock.ts';
import { createLockedFailure, failure } from './failures.ts';
import type { Verdict } from './judge.ts';
import { readClaims } from './jwt-claims.ts';
import { readBoundType } from './oauth-error.ts';
import { forwardable } from './upstream-message.ts';

/** Longest token in characters. A longer one would fit no server's header buffers. */
const LONGEST_TOKEN = 16_384;

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
      return failure(
        'upstream_session_limit',
        'unknown',
        `The upstream ${what}: this account has as many sessions as it may have.${said} It is tried again when one may have ended.`,
      );
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
        `The upstream answered ${answer.status} to the login, ${doubtOf(verdict)}.${said}${hint} It is tried again; if this stays, check the credential there.`,
      );
  }
}

/** Why an answer that refuses is no refusal for good. */
function doubtOf({ by }: Partial<Verdict>): string {
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

/**
 * The outcome of an answer with the wait that its `Retry-After` asks for, whatever the failure. A credential that was
 * refused waits for another version of the secret alone: the header would keep that one waiting too.
 */
export function heedRetryAfter<Outcome extends UpstreamOutcome>(
  outcome: Outcome,
  { headers }: Pick<HttpResponse, 'headers'>,
  now: number,
): Outcome {
  if (outcome.kind === 'token' || outcome.backOff === 'refused') return outcome;
  const retryAfterMs = readRetryAfterMs(headers, now);
  return retryAfterMs === undefined ? outcome : { ...outcome, retryAfterMs };
}

/** A reading of a token that can be used, or why it cannot. */
export type TokenReading =
  | { readonly kind: 'token'; readonly value: string }
  | { readonly kind: 'missing' | 'empty' }
  | { readonly kind: 'unusable'; readonly why: string };

/**
 * Checks that what an answer has in the place of its token can be sent as one, where the provider places it. `content`
 * is what else the answer says.
 */
export function checkToken(reading: Reading, placement: Placement, content?: JsonValue): TokenReading {
  if (reading.kind !== 'value') return reading;
  const { value } = reading;
  if (typeof value !== 'string') return { kind: 'unusable', why: 'is no text' };
  if (value === '') return { kind: 'empty' };
  if (!isHeaderSafe(value)) return { kind: 'unusable', why: 'has characters that no header may carry' };
  if (value.length > LONGEST_TOKEN) return { kind: 'unusable', why: `is longer than ${LONGEST_TOKEN} characters` };
  const boundType = isBearer(placement) ? readBoundType(content) : undefined;
  if (boundType !== undefined) {
    const why = `is of the type ${boundType}, which works with a proof of a key alone: have this client issued bearer tokens`;
    return { kind: 'unusable', why };
  }
  // RFC 6750 §2.1 has fewer characters still, but Salesforce's tokens have `!` and Marketo's `:`.
  if (isBearer(placement) && /[ "']/.test(value)) {
    return { kind: 'unusable', why: 'has characters that no bearer token has: a scheme, a blank or quotation marks' };
  }
  return { kind: 'token', value };
}

/** Reports whether a token says that it is of another subject than the one asked for (H10). */
export function belongsToOther(token: string, { ownerClaim }: Provider, subject: string): boolean {
  const owner = ownerClaim === undefined ? undefined : readClaims(token)?.[ownerClaim];
  const isStated = owner !== undefined && owner !== null;
  return isStated && owner !== subject && owner !== Number(subject);
}

/** A token that is missing, empty, or unusable for the reason given, in words for the caller. */
export function describeMissingToken(why: string, answer: Pick<ParsedAnswer, 'content'> | undefined): string {
  if (why === 'empty') return "The upstream's token is empty. It was not taken.";
  if (why !== 'missing') return `The upstream's token ${why}. It was not taken.`;
  if (answer?.content === undefined) {
    return 'The upstream answered with no token, and nothing that is JSON. Check that `baseUrl` and the paths lead to its API.';
  }
  return 'The upstream answered without a token. Check that `baseUrl` and the paths lead to its API.';
}

/**
 * Reads the attributes that a login answered beside the token, under the names that callers see, with `asOf`: the time
 * of the login, ISO 8601 to the second (C6–C11). A member that is absent or of another type is null. Empty where the
 * provider declares none.
 */
export function readAttributes(provider: Provider, { content }: ParsedAnswer, requestStartedAt: number): JsonObject {
  if (provider.attributes === undefined) return {};
  const read = Object.entries(provider.attributes).map(([name, attribute]) => [
    name,
    readAttribute(attribute, openEnvelope(provider, content, tokenPathOf(provider))),
  ]);
  return { ...Object.fromEntries(read), asOf: `${new Date(requestStartedAt).toISOString().slice(0, 19)}Z` };
}

function tokenPathOf({ logins }: Provider): readonly (string | number)[] {
  const source = logins.system?.findLast(({ reads }) => reads?.['token'] !== undefined)?.reads?.['token'];
  return source?.in === 'body' ? source.path : [];
}

function readAttribute(attribute: Attribute, content: JsonValue | undefined): JsonValue {
  const value = valueAt(content, [attribute.member]);
  if ('names' in attribute) return nameOf(attribute.names, value);
  return typeof value === attribute.type && value !== undefined ? value : null;
}

/** Compares by equality alone: a number between two known ones is neither of them (C7). */
function nameOf(names: Readonly<Record<number, string>>, value: JsonValue | undefined): string {
  return (typeof value === 'number' && Object.hasOwn(names, value) ? names[value] : undefined) ?? 'unknown';
}
