import * as z from 'zod/mini';

const texts = z.record(z.string(), z.string());
const stepSchema = z.object({
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: texts,
    body: z.optional(z.unknown()),
    certificate: z.optional(z.string()),
  }),
  answer: z.optional(
    z.object({ status: z.number(), headers: z.record(z.string(), z.array(z.string())), body: z.unknown() }),
  ),
  failure: z.optional(z.object({ reason: z.string(), sent: z.boolean() })),
  reads: z.array(z.object({ name: z.string(), from: z.string(), type: z.string(), length: z.optional(z.number()) })),
  judged: z.optional(z.object({ by: z.string(), means: z.string(), evidence: z.optional(z.string()) })),
});

const resultSchema = z.union([
  z.object({ outcome: z.literal('published'), generation: z.number() }),
  z.object({
    outcome: z.literal('failed'),
    code: z.string(),
    detail: z.string(),
    retry_after_seconds: z.nullable(z.number()),
  }),
  z.object({ outcome: z.literal('superseded') }),
]);

/** The broker's answer to a try. */
export const triedSchema = z.object({
  connection: z.string(),
  subject: z.string(),
  provider: z.string(),
  derived: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      length: z.number(),
      header: z.optional(z.unknown()),
      claims: z.optional(z.unknown()),
    }),
  ),
  steps: z.array(stepSchema),
  token: z.optional(
    z.object({
      length: z.number(),
      expires_at: z.string(),
      end: z.object({ by: z.string(), says: z.string() }),
      placed: z.object({ headers: texts, query: texts, base_url: z.string() }),
    }),
  ),
  /** The candidate that was tried. Absent: the current version was. */
  candidate: z.optional(z.object({ version_id: z.string(), current: z.boolean() })),
  result: resultSchema,
});

/** A login that was tried, step by step in names and shapes: no secret and no token is in it. */
export type Tried = z.infer<typeof triedSchema>;
/** One request of a tried login, its answer, and how that was judged. */
export type TriedStep = z.infer<typeof stepSchema>;
