import type { IssuedToken, Upstream, UpstreamFailure, UpstreamOutcome } from '../../core/mint/upstream.ts';
import type { Connection } from '../../core/slot/connection.ts';
import { place } from '../../core/slot/placement.ts';
import type { Step } from '../../core/slot/provider.ts';
import { BrokerError } from '../../core/words/errors.ts';
import type { Clock, Random } from '../../core/words/platform.ts';
import { Secret } from '../../core/words/secret.ts';
import type { Http } from '../../http/port.ts';
import { namesInStep, namesToken } from '../names.ts';
import { type ParsedAnswer, parseAnswer, type Reading, readValue } from './answer.ts';
import { readServerDate } from './answer-clock.ts';
import {
  type Answered,
  type Attempt,
  beginAttempt,
  collectKept,
  collectTexts,
  findScopeWarning,
  kindOf,
  resumeAttempt,
} from './attempt.ts';
import { findSuspects, readCredential } from './credential.ts';
import {
  countAsLogin,
  createLoginStatusFailure,
  createMisledFailure,
  createSecretFailure,
  failure,
} from './failures.ts';
import { judgeAnswer, type Verdict } from './judge.ts';
import { KeyProblem } from './key-problem.ts';
import { readLife } from './lifetime.ts';
import { belongsToOther, checkToken, heedRetryAfter, readAttributes } from './outcome.ts';
import { buildRequest, isMisled } from './request.ts';
import { waysOf } from './ways.ts';

/** The dependencies of the engine. */
export interface UpstreamParts {
  readonly http: Http;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly random: Pick<Random, 'uuid'>;
}

/**
 * Runs any provider: its steps one after the other within one time-out, never repeated and no other way tried (C3), and
 * whatever the upstream answers comes back as a value. Throws `internal` only for a subject that the provider does not
 * serve.
 */
export function createUpstream({ http, clock, random }: UpstreamParts): Upstream {
  return {
    async login({ connection, subject, secret, timeoutMs, keep, onTrial }) {
      const { provider } = connection;
      const steps = provider.logins[kindOf(subject)];
      if (steps === undefined) {
        throw new BrokerError('internal', `The connection ${connection.name} does not serve this kind of subject.`);
      }
      if (connection.keptSecret !== undefined && keep === undefined)
        throw new BrokerError(
          'internal',
          `A login of ${connection.name} would spend its refresh token and lose the next.`,
        );
      const credential = readCredential(provider, secret);
      if (credential.kind === 'problem') return createSecretFailure(connection, credential.problem);
      const suspects = findSuspects(provider, credential.fields);
      const attempt = { ...beginAttempt({ connection, subject, timeoutMs }, credential.fields, clock), keep };
      // Load the recorder only to try a login: a mint needs none.
      const recorder = onTrial && new (await import('./trial.ts')).TrialRecorder(attempt);
      if (recorder !== undefined) attempt.recorder = recorder;
      const outcome = await namingKeys(connection, async () => {
        await deriveAll(attempt, 'before the token');
        const answered = await run(attempt, steps);
        if (answered !== undefined && 'kind' in answered) return answered;
        const issued = await issue(attempt, answered);
        const { probe } = provider;
        return issued.kind === 'failure' || probe === undefined ? issued : ((await prove(attempt, probe)) ?? issued);
      });
      if (recorder !== undefined) onTrial?.(recorder.show(outcome));
      return suspects === undefined ? outcome : { ...outcome, warning: suspects };
    },

    waysOf,

    async renew(given) {
      const { connection } = given;
      const { renewal } = connection.provider;
      if (renewal === undefined)
        throw new BrokerError('internal', `The connection ${connection.name} cannot renew a token.`);
      const attempt = resumeAttempt(given, clock);
      if ('code' in attempt) return attempt;
      return namingKeys<UpstreamOutcome>(connection, async () => {
        await deriveAll(attempt, 'before the token');
        if ('slide' in renewal) return slide(attempt, renewal.slide);
        const answered = await run(attempt, renewal.refresh);
        if (answered === undefined) return createNoTokenFailure(attempt, answered);
        if (!('kind' in answered)) {
          const issued = await issue(attempt, answered);
          return issued.kind === 'failure' ? { ...issued, unrenewed: true } : issued;
        }
        return answered.backOff === 'refused' || answered.code === 'upstream_subject_rejected'
          ? { ...answered, ended: true }
          : answered;
      });
    },

    async logout(given) {
      const { connection } = given;
      const { logout } = connection.provider;
      if (logout === undefined) throw new BrokerError('internal', `The connection ${connection.name} has no logout.`);
      const attempt = resumeAttempt(given, clock);
      if ('code' in attempt) return attempt;
      const held = { ...attempt.values };
      return namingKeys<UpstreamFailure | undefined>(connection, async () => {
        for (const which of ['before the token', 'of the token'] as const) {
          await deriveAll(attempt, which);
          // What the session began with stays as it was.
          Object.assign(attempt.values, held);
        }
        const sent = await send(attempt, logout, false);
        if ('kind' in sent) return sent;
        // Load it only to log out.
        const { judgeLogout } = await import('./logout.ts');
        return judgeLogout(attempt, logout, sent);
      });
    },
  };

  async function deriveAll({ connection, values }: Attempt, which: 'before the token' | 'of the token'): Promise<void> {
    const { provider } = connection;
    const moment = { now: clock.now(), uuid: () => random.uuid() };
    const due = Object.entries(provider.derived ?? {}).filter(
      ([name]) => namesToken(name, provider) === (which === 'of the token'),
    );
    if (due.length === 0) return;
    // Load it only for a provider that has values computed.
    const { derive } = await import('./derive.ts');
    for (const [name, derived] of due) {
      // A renewal goes without the credential: the values kept from the login stay.
      values[name] = (await derive(derived, values, moment)) ?? values[name];
    }
  }

  /** Sends the steps one after the other; the answer that has the token, or the failure that the first bad one is. */
  async function run(attempt: Attempt, steps: readonly Step[]): Promise<Answered | UpstreamFailure | undefined> {
    let given: Answered | undefined;
    for (const [index, step] of steps.entries()) {
      const isLater = index > 0;
      const sent = await send(attempt, step, isLater);
      if ('kind' in sent) return isLater ? countAsLogin(sent) : sent;
      const failed = await judge(attempt, step, sent);
      if (failed !== undefined) return heedRetryAfter(isLater ? countAsLogin(failed) : failed, sent, clock.now());
      const answered = { step, answer: sent, token: await read(attempt, step, sent) };
      const needed = steps.slice(index + 1).flatMap(namesInStep);
      const isLacking = Object.keys(step.reads ?? {}).some(
        (name) => needed.includes(name) && attempt.values[name] === undefined,
      );
      // The next request would go out without it, and what came back would be held against the credential.
      if (isLacking) return createNoTokenFailure(attempt, answered);
      // A request after the token's own asks for more, such as where the API is.
      if (given?.step.reads?.['token'] === undefined || step.reads?.['token'] !== undefined) given = answered;
    }
    return given;
  }

  async function send(attempt: Attempt, step: Step, isLater: boolean): Promise<ParsedAnswer | UpstreamFailure> {
    const { connection, values, answered, endsAt, timeoutMs, recorder } = attempt;
    recorder?.sending(step);
    const built = buildRequest(step, values, connection);
    if (built.kind === 'problem') {
      const isOfAnswer = built.names.some((name) => answered.has(name));
      const { name, settings } = connection;
      if (built.names.length > 0 && built.names.every((each) => Object.hasOwn(settings, each))) {
        const detail = `A setting of the connection ${name} (${built.names.join(', ')}) ${built.problem}. Nothing was sent; mend it and deploy.`;
        return failure('upstream_request_rejected', 'misconfigured', detail);
      }
      return isOfAnswer
        ? failure('upstream_invalid_response', 'unknown', `An answer of the upstream ${built.problem}.`)
        : createSecretFailure(connection, built.problem);
    }
    if (built.kind === 'misled') {
      return failure('upstream_invalid_response', 'unknown', `The login cannot go on: ${built.why}.`);
    }
    if (step.certificate !== undefined && built.request.certificate !== undefined) {
      const { checkCertificate } = await import('./derive.ts');
      checkCertificate(built.request.certificate, step.certificate);
    }
    const leftMs = Math.floor(endsAt - clock.monotonic());
    const isOver = isLater && leftMs < 1;
    const response = isOver
      ? ({ kind: 'failure', reason: 'timeout', sent: true } as const)
      : await http.send({ ...built.request, timeoutMs: Math.max(1, leftMs) });
    if (response.kind === 'response') {
      const answer = await parseAnswer(response, step, clock.now());
      recorder?.answered(answer);
      return answer;
    }
    recorder?.notAnswered(response);
    // Load the words only where there is no answer.
    const { createTransportFailure } = await import('./transport-failure.ts');
    return createTransportFailure(response, timeoutMs);
  }

  async function judge(attempt: Attempt, step: Step, answer: ParsedAnswer): Promise<UpstreamFailure | undefined> {
    const { connection, kind } = attempt;
    const verdict = await judgeAnswer({ provider: connection.provider, step, kind }, answer);
    const failed =
      verdict === undefined
        ? createLoginStatusFailure(answer)
        : verdict.means === 'ok'
          ? undefined
          : await describeVerdict(attempt, verdict, answer);
    attempt.recorder?.judged(verdict, failed);
    return failed;
  }

  /** Takes the step's values out of an answer, each a text, number or flag; gives the token's. Keeps what rotates. */
  async function read(attempt: Attempt, step: Step, answer: ParsedAnswer): Promise<Reading> {
    const { connection, values, answered, recorder } = attempt;
    const { secretFields } = connection.provider;
    const next: Record<string, string> = {};
    let token: Reading = { kind: 'missing' };
    for (const [name, source] of Object.entries(step.reads ?? {})) {
      const reading = await readValue(source, answer, connection.provider);
      recorder?.read(name, source, reading);
      if (name === 'token') token = reading;
      if (reading.kind !== 'value' || typeof reading.value === 'object') continue;
      const text = String(reading.value).toWellFormed();
      const isField = Object.hasOwn(secretFields, name);
      // An answer may leave a value as it is, such as a refresh token, by leaving it out or empty, or giving it again.
      if (text === '' && (isField || values[name] !== undefined)) continue;
      if (isField && text === values[name]) continue;
      if (isField) next[name] = text;
      values[name] = text;
      answered.add(name);
    }
    if (Object.keys(next).length > 0) await attempt.keep?.(new Secret(next));
    return token;
  }

  /** The token of a login or a refresh. Without an answer it is one of the derived values. */
  async function issue(attempt: Attempt, answered: Answered | undefined): Promise<IssuedToken | UpstreamFailure> {
    const { connection, subject, kind, values, startedAt } = attempt;
    const { provider } = connection;
    const derived = values['token'];
    const isDerived = provider.derived !== undefined && Object.hasOwn(provider.derived, 'token');
    const reading: Reading =
      isDerived && derived !== undefined ? { kind: 'value', value: derived } : (answered?.token ?? { kind: 'missing' });
    const token = checkToken(reading, provider.placement, answered?.answer.content);
    if (token.kind !== 'token')
      return createNoTokenFailure(attempt, answered, token.kind === 'unusable' ? token.why : token.kind);
    if (kind === 'user' && belongsToOther(token.value, provider, subject)) {
      const detail =
        'The upstream issued a token of another subject. It was discarded; check that the subject exists there.';
      const evidence = `the claim ${provider.ownerClaim} in the token`;
      return { ...failure('upstream_subject_mismatch', 'unknown', detail), evidence };
    }
    await deriveAll(attempt, 'of the token');
    // Callers who get the token are told this address with it.
    if (isMisled(connection, place(attempt, token.value, values).baseUrl)) {
      return createMisledFailure('The token was not taken');
    }
    const { life, warning } = readLife(provider.lifetime, values, connection);
    const warnings = [warning, await findScopeWarning(attempt, answered)].filter((each) => each !== undefined);
    const serverDate = answered && readServerDate(answered.answer.headers);
    return {
      kind: 'token',
      value: new Secret(token.value),
      life: { ...life, ...(serverDate !== undefined && { serverDate }) },
      requestStartedAt: startedAt,
      attributes: answered === undefined ? {} : readAttributes(provider, answered.answer, startedAt),
      ...collectKept(attempt),
      ...(warnings.length > 0 && { tokenWarning: warnings.join(' ') }),
    };
  }

  /** Sends the request that proves a token made here; the failure, if the answer does not prove it. */
  async function prove(attempt: Attempt, probe: Step): Promise<UpstreamFailure | undefined> {
    const proved = await run(attempt, [probe]);
    if (proved === undefined || 'kind' in proved) return proved;
    const { content, text } = proved.answer;
    const isReadable = probe.answer === 'text' || content !== undefined || text.trim() === '';
    return isReadable ? undefined : createNoTokenFailure(attempt, proved, 'was not proven: the answer is no JSON');
  }

  async function createNoTokenFailure(attempt: Attempt, answered?: Answered, why?: string): Promise<UpstreamFailure> {
    const { describeNoToken } = await import('./no-token.ts');
    const failed = describeNoToken(attempt, answered, why);
    return answered === undefined ? failed : heedRetryAfter(failed, answered.answer, clock.now());
  }

  /** Slides the current token: a new one, or the same with a later end where the step reads none. */
  async function slide(attempt: Attempt, step: Step): Promise<IssuedToken | UpstreamFailure> {
    const { connection, values, startedAt } = attempt;
    const current = values['token'] ?? '';
    // Load it only to slide: not every provider does.
    const { judgeRenewal, judgeKept, createNotRenewedFailure } = await import('./renewal.ts');
    const sent = await send(attempt, step, false);
    if ('kind' in sent) return sent;
    const isRead = step.reads?.['token'] !== undefined;
    const failed = judgeRenewal(sent, step) ?? (isRead ? undefined : await judgeKept(attempt, step, sent));
    if (failed !== undefined) return heedRetryAfter(failed, sent, clock.now());
    const reading = await read(attempt, step, sent);
    const token = isRead
      ? checkToken(reading, connection.provider.placement)
      : ({ kind: 'token', value: current } as const);
    const problem =
      token.kind === 'token'
        ? isRead && token.value === current
          ? 'is the old one'
          : undefined
        : token.kind === 'unusable'
          ? token.why
          : `is ${token.kind}`;
    if (token.kind !== 'token' || problem !== undefined)
      return heedRetryAfter(createNotRenewedFailure(problem ?? '', step), sent, clock.now());
    await deriveAll(attempt, 'of the token');
    const serverDate = readServerDate(sent.headers);
    const { life, warning } = readLife(connection.provider.lifetime, values, connection);
    return {
      kind: 'token',
      value: new Secret(token.value),
      life: { ...life, ...(serverDate !== undefined && { serverDate }) },
      requestStartedAt: startedAt,
      ...collectKept(attempt),
      ...(warning !== undefined && { tokenWarning: warning }),
    };
  }
}

/** Puts a verdict against a login into words, which are loaded only then. */
async function describeVerdict(attempt: Attempt, verdict: Verdict, answer: ParsedAnswer): Promise<UpstreamFailure> {
  const { createVerdictFailure } = await import('./verdict-failure.ts');
  return createVerdictFailure(verdict, { ...attempt, answer, texts: collectTexts(attempt) });
}

async function namingKeys<T>(connection: Connection, work: () => Promise<T>): Promise<T | UpstreamFailure> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KeyProblem) return createSecretFailure(connection, error.problem);
    throw error;
  }
}
