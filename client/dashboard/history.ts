import * as z from 'zod/mini';

const seconds = { minute: 60, hour: 3_600, day: 86_400, week: 604_800 } as const;

/** Spans that a history may have, each with the width of one bar. */
export const spans = {
  hour: { seconds: seconds.hour, stepSeconds: seconds.minute },
  day: { seconds: seconds.day, stepSeconds: 15 * seconds.minute },
  week: { seconds: seconds.week, stepSeconds: 2 * seconds.hour },
} as const;

/** Name of a span. */
export type SpanName = keyof typeof spans;

const KINDS = ['hand_outs', 'logins', 'slides', 'failures'] as const;

/** Kind of what is counted. */
export type Kind = (typeof KINDS)[number];

/** Count of one kind at a time. */
export interface Sample {
  readonly connection: string;
  readonly kind: Kind;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly count: number;
  /** Error code of failures, where it is known. */
  readonly code?: string | undefined;
}

const counts = z.array(z.number());
const connectionHistorySchema = z.object({
  name: z.string(),
  hand_outs: counts,
  logins: counts,
  slides: counts,
  failures: counts,
  /** Failures of the whole span by code. */
  codes: z.record(z.string(), z.number()),
});
const historySchema = z.object({
  from: z.string(),
  to: z.string(),
  step_seconds: z.number(),
  /** Source of the counts, and what they leave out. */
  note: z.string(),
  connections: z.array(connectionHistorySchema),
});

/**
 * Counts of each connection: one number for each step from `from` to `to`, oldest first. A connection without counts is
 * left out.
 */
export type History = z.infer<typeof historySchema>;

/** Reads the name of a span; undefined for any other text. */
export function spanNamed(text: string | null): SpanName | undefined {
  return text !== null && Object.hasOwn(spans, text) ? (text as SpanName) : undefined; // Its own keys are the names.
}

/** Reads the history in another server's answer; undefined for anything else. */
export function parseHistory(json: unknown): History | undefined {
  return historySchema.safeParse(json).data;
}

/** Computes when a span that ends with the step of `now` begins and ends; epoch milliseconds. */
export function limitsOf(span: SpanName, now: number): { readonly from: number; readonly to: number } {
  const { seconds: length, stepSeconds } = spans[span];
  const stepMs = stepSeconds * 1000;
  const to = (Math.floor(now / stepMs) + 1) * stepMs;
  return { from: to - length * 1000, to };
}

/** Adds samples up to a history. Leaves out samples outside of the span. */
export function historyOf(
  samples: Iterable<Sample>,
  { span, now, note }: { readonly span: SpanName; readonly now: number; readonly note: string },
): History {
  const { from, to } = limitsOf(span, now);
  const { stepSeconds } = spans[span];
  const steps = (to - from) / 1000 / stepSeconds;
  const byName = new Map<string, z.infer<typeof connectionHistorySchema>>();
  for (const { connection, kind, at, count, code } of samples) {
    const step = Math.floor((at - from) / 1000 / stepSeconds);
    if (step < 0 || step >= steps || count === 0) continue;
    const none = () => new Array<number>(steps).fill(0);
    const known = byName.get(connection) ?? {
      ...{ name: connection, hand_outs: none(), logins: none(), slides: none(), failures: none() },
      codes: {},
    };
    byName.set(connection, known);
    known[kind][step] = (known[kind][step] ?? 0) + count;
    if (kind === 'failures' && code !== undefined) known.codes[code] = (known.codes[code] ?? 0) + count;
  }
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    step_seconds: stepSeconds,
    note,
    connections: [...byName.values()],
  };
}
