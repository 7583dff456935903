import type { IssuedToken, UpstreamFailure } from '../../core/mint/upstream.ts';
import { timesOf } from '../../core/slot/lifetime.ts';
import { place } from '../../core/slot/placement.ts';
import type { Derived, End, Source, Step } from '../../core/slot/provider.ts';
import { slotOf } from '../../core/slot/slot.ts';
import type { Values } from '../../core/slot/text.ts';
import type { Trial, TriedReading, TriedStep, TriedToken, TriedValue, TriedVerdict } from '../../core/slot/trial.ts';
import type { HttpFailure } from '../../http/port.ts';
import { namesInDerived, secretNames, stepsOf } from '../names.ts';
import type { ParsedAnswer, Reading } from './answer.ts';
import type { Attempt, Recorder } from './attempt.ts';
import type { Success, Verdict } from './judge.ts';
import { readLife } from './lifetime.ts';
import { collectJoinedTexts } from './request.ts';
import { describeSource, type Hidden, showBody, showHeaders } from './shown-answer.ts';
import { showJson, showRequest } from './shown-request.ts';

const SHORTEST_QUOTE = 4;

/** A step as it was run, before anything of it is shown. */
interface Noted {
  readonly step: Step;
  answer?: ParsedAnswer;
  failure?: { readonly reason: string; readonly sent: boolean };
  readonly reads: { readonly name: string; readonly source: Source; readonly reading: Reading }[];
  judged?: TriedVerdict;
}

/**
 * Record of a login that is tried. It notes what the engine does, and shows it only once the login is over, when it
 * knows every value that must not be shown.
 */
export class TrialRecorder implements Recorder {
  readonly #attempt: Attempt;
  readonly #steps: Noted[] = [];
  /** Names by the texts that they stood for at any time: a value that rotates has had two. */
  readonly #names = new Map<string, string>();
  readonly #joined = new Set<string>();

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  sending(step: Step): void {
    this.#collect();
    this.#steps.push({ step, reads: [] });
  }

  answered(answer: ParsedAnswer): void {
    this.#note({ answer });
  }

  notAnswered({ reason, sent }: HttpFailure): void {
    this.#note({ failure: { reason, sent } });
  }

  judged(verdict: Verdict | Success | undefined, failed: UpstreamFailure | undefined): void {
    const { by, means } = verdict ?? ({ by: 'status', means: failed?.code ?? 'ok' } as const);
    const evidence = verdict !== undefined && 'evidence' in verdict ? verdict.evidence : failed?.evidence;
    this.#note({ judged: { by, means, ...(evidence !== undefined && { evidence }) } });
  }

  withoutToken(verdict: Verdict | undefined, evidence: string): void {
    if (verdict !== undefined) this.judged(verdict, undefined);
    else this.#note({ judged: { by: 'token', means: 'unusable', evidence } });
  }

  read(name: string, source: Source, reading: Reading): void {
    this.#steps.at(-1)?.reads.push({ name, source, reading });
  }

  /** Shows the login. */
  show(outcome: IssuedToken | UpstreamFailure): Trial {
    this.#collect();
    const { connection, values } = this.#attempt;
    const shown = this.#shown();
    const hidden: Hidden = { names: this.#names, quotable: this.#quotable() };
    const derived = Object.entries(connection.provider.derived ?? {});
    return {
      derived: derived.flatMap(([name, each]) => showDerived(name, each, values[name], shown)),
      steps: this.#steps.map((noted) => showStep(noted, shown, hidden, this.#attempt)),
      ...(outcome.kind === 'token' && { token: showToken(this.#attempt, outcome, shown) }),
    };
  }

  #note(noted: Partial<Noted>): void {
    const last = this.#steps.at(-1);
    if (last !== undefined) Object.assign(last, noted);
  }

  /** Remembers the values that must not be shown, by now. */
  #collect(): void {
    const { connection, values } = this.#attempt;
    for (const name of this.#concealed()) {
      const text = values[name];
      if (text !== undefined && text !== '') this.#names.set(text, name);
    }
    for (const { step } of stepsOf(connection.provider)) {
      for (const text of collectJoinedTexts(step, values)) this.#joined.add(text);
    }
  }

  /** A short value, such as a count, is in too many words by chance; it is hidden where it stands alone. */
  #quotable(): readonly string[] {
    const secret = secretNames(this.#attempt.connection.provider);
    const telling = [...this.#names].filter(([text, name]) => secret.has(name) || text.length >= SHORTEST_QUOTE);
    return [...telling.map(([text]) => text), ...this.#joined];
  }

  /** The names of values that must not be shown: of the secret, of answers, the token, and what is made of these. */
  #concealed(): ReadonlySet<string> {
    const { provider } = this.#attempt.connection;
    const concealed = new Set([...secretNames(provider), ...this.#attempt.answered, 'token']);
    for (const [name, derived] of Object.entries(provider.derived ?? {})) {
      if (namesInDerived(derived).some((named) => concealed.has(named))) concealed.add(name);
    }
    return concealed;
  }

  #shown(): Values {
    const concealed = this.#concealed();
    const { values } = this.#attempt;
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, value && concealed.has(name) ? `{${name}}` : value]),
    );
  }
}

function showStep(noted: Noted, shown: Values, hidden: Hidden, { connection }: Attempt): TriedStep {
  const { step, answer, failure, reads, judged } = noted;
  return {
    request: showRequest(step, shown, connection),
    ...(answer && {
      answer: { status: answer.status, headers: showHeaders(answer, hidden), body: showBody(answer, hidden) },
    }),
    ...(failure && { failure }),
    reads: reads.map(showReading),
    ...(judged && { judged }),
  };
}

function showReading({ name, source, reading }: Noted['reads'][number]): TriedReading {
  const from = describeSource(source);
  if (reading.kind === 'missing') return { name, from, type: 'missing' };
  if (reading.kind === 'unusable') return { name, from, type: `unusable: it ${reading.why}` };
  const { value } = reading;
  if (typeof value === 'object') return { name, from, type: Array.isArray(value) ? 'list' : 'object' };
  return { name, from, type: typeof value === 'string' ? 'text' : typeof value, length: String(value).length };
}

function showDerived(name: string, derived: Derived, value: string | undefined, shown: Values): readonly TriedValue[] {
  if (value === undefined) return [];
  const [kind = ''] = Object.keys(derived);
  const made = { name, kind, length: value.length };
  if (!('jwt' in derived)) return [made];
  const { alg, header = {}, claims } = derived.jwt;
  return [
    {
      ...made,
      header: showJson({ alg, ...(typeof header === 'object' && header) }, shown) ?? null,
      claims: showJson(claims, shown) ?? null,
    },
  ];
}

function showToken({ connection, subject, values }: Attempt, issued: IssuedToken, shown: Values): TriedToken {
  const { provider, maxTokenAgeSeconds } = connection;
  const { issuedAt, expiresAt } = timesOf(issued, connection, slotOf(connection, subject));
  const ends = provider.lifetime ?? [];
  const index = ends.findIndex((end) => Object.keys(readLife([end], values, connection).life).length > 0);
  const end = ends[index];
  const isCapped = end === undefined || expiresAt - issuedAt >= maxTokenAgeSeconds * 1000;
  const { headers, query, baseUrl } = place({ connection, subject }, '{token}', shown);
  return {
    length: issued.value.reveal().length,
    expires_at: `${new Date(expiresAt).toISOString().slice(0, 19)}Z`,
    end: isCapped
      ? { by: 'maxTokenAgeSeconds', says: `at most ${maxTokenAgeSeconds} s` }
      : { by: `lifetime[${index}]`, says: describeEnd(end) },
    placed: { headers, query, base_url: baseUrl },
  };
}

function describeEnd(end: End): string {
  if ('value' in end) return `the value \`${end.value}\` as ${end.as}`;
  if ('jwt' in end) return `\`exp\` of the JWT \`${end.jwt}\``;
  return 'seconds' in end ? `${end.seconds} s, fixed` : "the connection's `lifetimeSeconds`";
}
