import type { Meaning, Provider, RefusalFlag, Rule, Step, SubjectKind } from '../../core/slot/provider.ts';
import { isJsonObject, type JsonValue } from '../../core/words/json.ts';
import { namesInDerived, namesInStep } from '../names.ts';
import { asksToWait, describeStatus, isEmpty, type ParsedAnswer, readValue, valueAt } from './answer.ts';
import { saysLocked } from './locked.ts';
import { readOAuthError } from './oauth-error.ts';

const LOCKED = 423;
const UNAVAILABLE = 503;
/** RFC 6585 §4: whatever the body says, it is not about this request. */
const TOO_MANY_REQUESTS = 429;

/** The request that an answer is judged for. */
export interface Asked {
  readonly provider: Provider;
  readonly step: Step;
  readonly kind: SubjectKind;
}

/** The rule or table that judged an answer: `answers[2]` is the third of the provider's rules. */
export type JudgedBy = `answers[${number}]` | 'answers' | 'refusal' | 'oauth' | 'status' | 'token';

/** An answer that a rule of the provider's calls a success. */
export interface Success {
  readonly means: 'ok';
  readonly by: JudgedBy;
}

/** The meaning of an answer, with the evidence for it. */
export interface Verdict {
  readonly by: JudgedBy;
  /** `unclear`: the status refuses, but nothing in the answer shows that the API itself refused. */
  readonly means: Exclude<Meaning, 'ok'> | 'unclear';
  /** Evidence in words: "the status 401 without a body". */
  readonly evidence: string;
  /** The upstream's own words, unredacted. */
  readonly message?: JsonValue | undefined;
  readonly hint?: string | undefined;
  /** Set if it is about the client's own part of the credential, not about what it was granted (RFC 6749 §5.2). */
  readonly ofClient?: boolean;
  /** The action of the upstream in words, where its status does not say it. */
  readonly did?: string;
}

/**
 * Judges an answer to a login by evidence, not by its status: the provider's rules, then its way to say no, then
 * OAuth's errors, then the status. Undefined: nothing is known of it but its status.
 *
 * - The API's own word on the credential, which stops logins: a rule of the provider's that reads the body; the refusal
 *   that the provider declares; an error of RFC 6749 §5.2; 401 without a body. None of them but a rule is for good if
 *   the answer says when to come back (`Retry-After`).
 * - The subject's: the same where the request names a user, and whatever a rule says of a subject with any JSON.
 * - The connection's: `misconfigured`, for what the settings say and no secret mends.
 * - Unknown, which heals by itself (`unclear`): every other 400, 401 and 403. A status, HTML or JSON of another shape
 *   may come from a firewall or a rate limit on the way.
 */
export async function judgeAnswer(asked: Asked, answer: ParsedAnswer): Promise<Verdict | Success | undefined> {
  const ruled = await judgeByRules(asked, answer);
  if (ruled !== undefined) return ruled.means === 'ok' ? ruled : lockedBefore(ruled);
  const refused = judgeByRefusal(asked, answer);
  if (refused !== undefined) return unlessForNow(lockedBefore(refused), answer);
  const mayBeOAuth = answer.status >= 400 && ![TOO_MANY_REQUESTS, UNAVAILABLE].includes(answer.status);
  const oauth = mayBeOAuth ? judgeByOAuth(asked, answer) : undefined;
  return oauth === undefined ? judgeByStatus(answer) : unlessForNow(oauth, answer);
}

/** A refusal of the credential that says when to come back is none for good. */
function unlessForNow(verdict: Verdict, answer: ParsedAnswer): Verdict {
  if (verdict.means !== 'credential' || !asksToWait(answer)) return verdict;
  const evidence = /Retry-After/.test(verdict.evidence) ? verdict.evidence : `${verdict.evidence}, with Retry-After`;
  return { ...verdict, means: 'unclear', evidence };
}

/**
 * Judges an answer of success that has no token: by a refusal in other words than the documented ones (C12), or an
 * OAuth error. Undefined where it says nothing.
 */
export function judgeWithoutToken(asked: Asked, answer: ParsedAnswer): Verdict | undefined {
  const { provider } = asked;
  const oauth = judgeByOAuth(asked, answer);
  if (oauth !== undefined) return unlessForNow(oauth, answer);
  if (provider.refusal === undefined) return undefined;
  const { saysYes, message } = readRefusal(provider.refusal, provider.envelope, answer.content);
  if (saysYes || message === undefined || hasTokenLike(asked, answer.content)) return undefined;
  const means = isAboutUser(asked) ? 'subject' : 'credential';
  const verdict = lockedBefore({ by: 'refusal', means, evidence: 'a message in place of the token', message });
  return unlessForNow(verdict, answer);
}

function judgeByOAuth(asked: Asked, { content }: ParsedAnswer): Verdict | undefined {
  const oauth = readOAuthError(content, isAboutUser(asked));
  if (oauth === undefined || oauth.means === 'ok') return undefined;
  const { means, error, description: message } = oauth;
  const ofClient = error.endsWith('_client');
  return { by: 'oauth', means, evidence: `the error ${error} in the body`, message, ofClient };
}

async function judgeByRules({ provider, kind }: Asked, answer: ParsedAnswer): Promise<Verdict | Success | undefined> {
  const rules = provider.answers ?? [];
  for (const [index, rule] of rules.entries()) {
    if (!(await fits(rule, kind, answer, provider))) continue;
    const { means, hint } = rule;
    const by = `answers[${index}]` as const;
    if (means === 'ok') return { means, by };
    const reading = rule.message && (await readValue(rule.message, answer, provider));
    const message = reading?.kind === 'value' ? reading.value : undefined;
    const isOwnWord = rule.at !== undefined || message !== undefined || speaksForApi(means, provider, answer);
    if (!isOwnWord) return { by, means: 'unclear', evidence: describeStatus(answer), message, hint };
    const sign = rule.at === undefined ? describeStatus(answer) : 'what the body says';
    return {
      by,
      means,
      evidence: `${sign}, by the provider's rule ${index + 1}`,
      message: message ?? refusalMessageIn(provider, answer),
      hint,
    };
  }
  const wantsOk = rules.some(({ means, at }) => means === 'ok' && at !== undefined);
  const isOther = wantsOk && answer.status < 300;
  return isOther
    ? { by: 'answers', means: 'unusable', evidence: "no rule of the provider's calls the answer a success" }
    : undefined;
}

async function fits(rule: Rule, kind: SubjectKind, answer: ParsedAnswer, provider: Provider): Promise<boolean> {
  if (rule.of !== undefined && rule.of !== kind) return false;
  if (rule.status !== undefined && !rule.status.includes(answer.status)) return false;
  if (rule.at === undefined) return true;
  const reading = await readValue(rule.at, answer, provider);
  if (reading.kind !== 'value') return false;
  return rule.is === undefined || rule.is.some((each) => isSame(each, reading.value, answer));
}

/** Compares a rule's value with an answer's. In XML every value is a text: there the number 0 is `0`. */
function isSame(expected: JsonValue, value: JsonValue, { form }: ParsedAnswer): boolean {
  if (form === 'XML' && typeof expected !== 'object') return String(expected) === value;
  return expected === value;
}

/** Reports whether a status may be taken for the API's own word with this body. */
function speaksForApi(means: Meaning, provider: Provider, answer: ParsedAnswer): boolean {
  if (means !== 'credential' && means !== 'subject') return true;
  // A refusal of the credential that says when to come back is none for good, in whatever words.
  if (means === 'credential' && asksToWait(answer)) return false;
  if (refusalMessageIn(provider, answer) !== undefined) return true;
  if (readOAuthError(answer.content, false) !== undefined) return true;
  if (asksToWait(answer)) return false;
  // One subject's refusal stops that subject alone: any answer of an API will do.
  return isEmpty(answer) || (means === 'subject' && isJsonObject(answer.content));
}

/** The provider's way to say no in the body: its flag, or its message under a status that refuses. */
function judgeByRefusal(asked: Asked, answer: ParsedAnswer): Verdict | undefined {
  const { provider } = asked;
  if (provider.refusal === undefined) return undefined;
  const { saysNo, saysWhy, message } = readRefusal(provider.refusal, provider.envelope, answer.content);
  const isRefusingStatus = [400, 401, 403].includes(answer.status);
  const isRefusal = saysNo ? answer.status < 300 || isRefusingStatus : isRefusingStatus && saysWhy;
  if (!isRefusal) return undefined;
  const evidence = `${answer.status < 300 ? '' : `${describeStatus(answer)}, and `}the refusal in the body`;
  // A user's login may have failed for a wrong subject instead (H10).
  if (isAboutUser(asked)) return { by: 'refusal', means: 'subject', evidence, message };
  if (message === undefined && answer.status < 300)
    return { by: 'refusal', means: 'unusable', evidence: 'a refusal that does not say why' };
  return { by: 'refusal', means: 'credential', evidence, message };
}

function judgeByStatus(answer: ParsedAnswer): Verdict | undefined {
  const { status } = answer;
  if (status === LOCKED) return { by: 'status', means: 'locked', evidence: describeStatus(answer) };
  if (![400, 401, 403].includes(status)) return undefined;
  if (status === 401 && isEmpty(answer) && !asksToWait(answer)) {
    return { by: 'status', means: 'credential', evidence: 'the status 401 without a body', ofClient: true };
  }
  return { by: 'status', means: 'unclear', evidence: describeStatus(answer) };
}

function lockedBefore(verdict: Verdict): Verdict {
  const isRefusal = verdict.means === 'credential' || verdict.means === 'subject';
  return isRefusal && saysLocked(verdict.message) ? { ...verdict, means: 'locked' } : verdict;
}

/** Reports whether a request is about a user: it names the subject, or a derived value that does. */
export function isAboutUser({ provider, step, kind }: Asked): boolean {
  if (kind !== 'user') return false;
  const named = new Set(namesInStep(step));
  for (const [name, derived] of Object.entries(provider.derived ?? {}).reverse()) {
    if (named.has(name)) for (const each of namesInDerived(derived)) named.add(each);
  }
  return named.has('subject');
}

/** Reports whether an answer has a text by the token's name after all, in other letters or another envelope. */
function hasTokenLike({ provider: { envelope }, step }: Asked, content: JsonValue | undefined): boolean {
  const source = step.reads?.['token'];
  const last = source?.in === 'body' ? source.path.at(-1) : undefined;
  if (typeof last !== 'string') return false;
  const places = [content, ...(envelope === undefined ? [] : membersNamed(envelope, content))];
  return places
    .flatMap((place) => membersNamed(last, place))
    .some((value) => typeof value === 'string' && value !== '');
}

function refusalMessageIn({ refusal, envelope }: Provider, { content }: ParsedAnswer): string | undefined {
  return refusal === undefined ? undefined : readRefusal(refusal, envelope, content).message;
}

/** The provider's flag and message in an answer: refused, succeeded, and the reason. */
interface RefusalWords {
  /** True if a flag reports failure, even where another reports success. */
  readonly saysNo: boolean;
  /** True if a flag reports success, even where another reports failure. */
  readonly saysYes: boolean;
  /**
   * True if there is a reason under the very name that the provider declares. In another case the name may be a
   * firewall's: `{"message":"Forbidden"}`.
   */
  readonly saysWhy: boolean;
  /** The upstream's own words, one about a lock first. Undefined where it gives no reason. */
  readonly message: string | undefined;
}

/**
 * Reads the provider's flag and message, in upper, lower or camel case, flat or in the envelope (C5, C12). A server may
 * be set to write its members in another case, and a refusal missed is a login tried again.
 */
function readRefusal(refusal: RefusalFlag, envelope: string | undefined, content: JsonValue | undefined): RefusalWords {
  const places = [content, ...(envelope === undefined ? [] : membersNamed(envelope, content))];
  const all = (name: string) => places.flatMap((place) => membersNamed(name, place));
  const messages = all(refusal.message).filter(isReason);
  // In XML a flag is a text, and some servers write one in JSON too.
  const flags = all(refusal.flag).map((flag) => (typeof flag === 'string' ? flag.trim().toLowerCase() : flag));
  return {
    saysNo: flags.some((flag) => flag === false || flag === 'false'),
    saysYes: flags.some((flag) => flag === true || flag === 'true'),
    saysWhy: places.some((place) => isReason(valueAt(place, [refusal.message]))),
    message: messages.find(saysLocked) ?? messages[0],
  };
}

function isReason(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

/** The values of an object's members of that name, written in any case. */
function membersNamed(name: string, value: JsonValue | undefined): readonly JsonValue[] {
  if (!isJsonObject(value)) return [];
  return Object.entries(value)
    .filter(([member]) => member.toLowerCase() === name.toLowerCase())
    .map(([, held]) => held);
}
