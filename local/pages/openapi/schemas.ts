import * as z from 'zod';
import { NAME_PATTERN } from '../../../functions/configuration/fields.ts';
import { trySchema } from '../../../functions/connections/try-body.ts';
import type { HandOutSource } from '../../../functions/core/hand-out/audit.ts';
import type { SlotState } from '../../../functions/core/operate/status.ts';
import { SIGNING_ALGORITHMS } from '../../../functions/core/slot/provider.ts';
import type { ExchangeErrorCode } from '../../../functions/exchange/exchange-error.ts';
import { ACCESS_TOKEN } from '../../../functions/exchange/exchange-request.ts';
import { rejectionSchema } from '../../../functions/token/rejection.ts';
import { codeTable, keysOf, problemCodes } from './code-table.ts';

/** JSON Schema of draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Descriptions of the states of a slot. A new state does not compile until it is here. */
const states = {
  refreshing: 'somebody holds the lease and is getting a token',
  cooldown: 'waiting after a failure, or refused; a token that is still good is handed out all the same',
  fresh: 'there is a usable token',
  empty: 'none is stored; one is fetched for the next caller, unless a warm instance still has one in memory',
} as const satisfies Record<SlotState, string>;

const sources = {
  cache: 'it was there already',
  login: 'this request had it fetched with the credential',
  slide: 'this request had it fetched with the token before it',
  refresh: 'this request had it fetched with a refresh token',
} as const satisfies Record<HandOutSource, string>;

/** Descriptions of the token exchange's codes (RFC 6749 §5.2, RFC 8693 §2.2.2). */
const exchangeErrors = {
  invalid_request: 'the form or the subject token is wrong',
  invalid_target: 'no trust rule lets this workload have this audience and subject',
  invalid_scope: 'a `scope` was asked for',
  unsupported_grant_type: 'another grant than token exchange',
  temporarily_unavailable: 'trouble behind the exchange; ask again after `Retry-After`',
  server_error: 'something went wrong in the broker',
} as const satisfies Record<ExchangeErrorCode, string>;

const codes = z.enum(problemCodes()).meta({ description: 'What went wrong, of a closed set. Branch on it.' });
const time = z.string().meta({ format: 'date-time', description: 'UTC, in whole seconds.' });
const timeOrNull = z.union([time, z.null()]);
const generation = z
  .int()
  .min(0)
  .meta({ description: 'Which of the slot’s tokens it is; a later token has a higher one.' });

/** Parameter: the name of a connection. */
export const connectionName = z.string().regex(NAME_PATTERN);

/** Parameter: a subject. */
// The broker's own pattern without its lookahead, which many validators cannot read.
export const subject = z.string().regex(/^[A-Za-z0-9._~@-]{1,128}$/);

const handOut = z.object({
  access_token: z.string().min(1).meta({ description: 'The token (RFC 6749 §5.1).' }),
  token_type: z.enum(['Bearer', 'N_A']).meta({
    description: '`N_A` (RFC 8693 §2.2.1) where the token travels in a header of its own; use `headers`.',
  }),
  expires_in: z.int().meta({ description: 'Seconds that remain, five of clock skew taken off.' }),
  expires_at: time.meta({ description: 'For a token without expiry this is the broker’s own cap.' }),
  issued_at: time,
  refresh_at: time.meta({ description: 'From here on the broker refreshes it ahead of its end. Ask again after it.' }),
  connection: connectionName,
  subject,
  generation,
  source: z.enum(keysOf(sources)).meta({ description: wordList(sources) }),
  headers: z
    .record(z.string(), z.string())
    .meta({ description: 'What to send to the upstream; can be spread into a request as it is.' }),
  query: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'Parameters to put into the query, where the provider places any there.' }),
  base_url: z.string().optional().meta({ description: 'Address of the API, where the login’s answer says it.' }),
  attributes: z
    .record(z.string(), z.unknown())
    .meta({ description: 'What the upstream said beside the token at login, as of `attributes.asOf`. May be empty.' }),
});

const exchanged = handOut.extend({
  issued_token_type: z.literal(ACCESS_TOKEN).meta({ description: 'RFC 8693 §2.2.1.' }),
});

const exchangeError = z.object({
  error: z.enum(keysOf(exchangeErrors)).meta({ description: wordList(exchangeErrors) }),
  error_description: z.string(),
  code: codes.optional().meta({ description: 'The broker’s own code, where it says more.' }),
  cause: codes.optional(),
  request_id: z.string(),
});

/** Form of the exchange; a parameter without a value counts as left out. Swagger UI takes a form's examples from here. */
const exchangeForm = z.object({
  grant_type: z.literal('urn:ietf:params:oauth:grant-type:token-exchange'),
  subject_token: z
    .string()
    .min(1)
    .meta({
      description: 'The workload’s own OIDC token, a JWT. For `npm start` its demo issuer gives one, as it prints.',
      examples: ['the JWT of the workload'],
    }),
  subject_token_type: z.enum(['urn:ietf:params:oauth:token-type:jwt', 'urn:ietf:params:oauth:token-type:id_token']),
  audience: connectionName.meta({ description: 'The connection.', examples: ['helpdesk'] }),
  requested_subject: subject.optional().meta({ description: '`system` where it is left out.', examples: ['88'] }),
  requested_token_type: z.literal(ACCESS_TOKEN).optional(),
  client_id: z
    .string()
    .optional()
    .meta({ description: 'Not looked at.', examples: ['my-workload'] }),
});

const lastError = z.object({
  code: codes,
  at: time,
  evidence: z.string().optional().meta({ description: 'What in the upstream’s answer decided it, in words.' }),
});

const standings = {
  proven: 'the version last logged in with has brought a token',
  refused: 'it was refused, and nobody logs in with it',
  unproven: 'neither yet',
};

const slotStatus = z.object({
  subject,
  state: z.enum(keysOf(states)).meta({ description: wordList(states) }),
  issued_at: timeOrNull,
  expires_at: timeOrNull,
  refresh_at: timeOrNull,
  generation,
  last_error: z.union([lastError, z.null()]),
  warning: z.string().optional().meta({ description: 'A doubt about the token’s end, or the scope that it lacks.' }),
});

const connectionSummary = z.object({
  name: connectionName,
  provider: z.string().meta({ description: 'A preset, or a provider of the configuration.' }),
  lifetime_seconds: z.int().min(1).meta({ description: 'The longest life a new token can have.' }),
  warning: z.string().optional().meta({ description: 'Present where the upstream is spoken to over plain http.' }),
});

const secretField = z.object({
  name: z.string(),
  kind: z.enum(['text', 'pem']),
  required: z.boolean(),
  without: z.string().optional().meta({ description: 'A text that the field must not hold.' }),
  suspect: z.string().optional().meta({ description: 'A text that the upstream may misread.' }),
  rotates: z.boolean().optional().meta({ description: 'Each login gives the next value, which the broker keeps.' }),
  key: z
    .object({
      algorithm: z.enum(SIGNING_ALGORITHMS),
      type: z.enum(['rsa', 'ec', 'ed25519']),
      curve: z.string().optional().meta({ description: 'The curve of an EC key.' }),
      bits: z.int().optional().meta({ description: 'The least length of an RSA key.' }),
      words: z.string().meta({ description: 'The same in words.' }),
    })
    .optional()
    .meta({ description: 'The private key that the field must hold, where something is signed by it.' }),
});

const servedSubjects = z.object({
  system: z.boolean(),
  users: z
    .union([
      z.object({
        key: z.string().meta({ description: 'How the configuration calls them: `subjects.{key}`.' }),
        pattern: z.string().meta({ description: 'The whole subject matches this regular expression.' }),
        words: z.string().meta({ description: 'The same in words.' }),
        listed: z.union([z.array(z.string()), z.null()]).meta({ description: 'The only ones served, where listed.' }),
      }),
      z.null(),
    ])
    .meta({ description: 'How a user is written; null where the connection serves the system alone.' }),
});

const connectionStatus = connectionSummary.extend({
  secret: z.string().meta({ description: "Name or ARN of the connection's secret." }),
  secret_fields: z.array(secretField).meta({ description: "The fields of the connection's secret." }),
  kept_secret: z
    .string()
    .optional()
    .meta({ description: "Name of the broker's own secret for refresh tokens that rotate." }),
  subjects: servedSubjects,
  credential: z.object({
    standing: z.enum(keysOf(standings)).meta({ description: wordList(standings) }),
    takes_candidates: z.boolean().meta({ description: 'A new value can be tried before it becomes current.' }),
    failed_candidate: lastError
      .optional()
      .meta({ description: 'The last candidate that did not become current, until a version is new.' }),
  }),
  slots: z.array(slotStatus),
  next: z.string().optional().meta({ description: 'There are more: send it as `next` to go on.' }),
});

const shownTexts = z.record(z.string(), z.string());
const triedStep = z.object({
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: shownTexts,
    body: z.unknown().optional().meta({ description: 'JSON, the members of a form, or XML as text.' }),
    certificate: z.string().optional(),
  }),
  answer: z
    .object({ status: z.int(), headers: z.record(z.string(), z.array(z.string())), body: z.unknown() })
    .optional()
    .meta({ description: 'Absent where none came. Words that are plain, and of everything else the shape.' }),
  failure: z
    .object({ reason: z.string(), sent: z.boolean() })
    .optional()
    .meta({ description: 'Why no answer came, and whether the request was sent.' }),
  reads: z.array(z.object({ name: z.string(), from: z.string(), type: z.string(), length: z.int().optional() })),
  judged: z
    .object({ by: z.string(), means: z.string(), evidence: z.string().optional() })
    .optional()
    .meta({ description: '`by`: the provider’s rule, as `answers[0]`, or `refusal`, `oauth`, `status`, `token`.' }),
});

const triedToken = z.object({
  length: z.int(),
  expires_at: time,
  end: z.object({ by: z.string(), says: z.string() }).meta({ description: 'The end that counts, and its source.' }),
  placed: z
    .object({ headers: shownTexts, query: shownTexts, base_url: z.string() })
    .meta({ description: 'What an API call carries.' }),
});

const tried = z.object({
  connection: connectionName,
  subject,
  provider: z.string(),
  derived: z
    .array(
      z.object({
        name: z.string(),
        kind: z.string(),
        length: z.int(),
        header: z.unknown().optional(),
        claims: z.unknown().optional(),
      }),
    )
    .meta({ description: 'Values computed for the login.' }),
  steps: z.array(triedStep).meta({ description: 'Every request, with names in place of secrets and tokens.' }),
  token: triedToken.optional().meta({ description: 'Absent where the login brought none.' }),
  candidate: z
    .object({ version_id: z.string(), current: z.boolean() })
    .optional()
    .meta({ description: 'The candidate that was tried, and whether it is current now. Else the current one was.' }),
  result: z
    .union([
      z.object({ outcome: z.literal('published'), generation }),
      z.object({
        outcome: z.literal('failed'),
        code: codes,
        detail: z.string(),
        retry_after_seconds: z.union([z.int().min(1), z.null()]),
      }),
      z.object({ outcome: z.literal('superseded') }),
    ])
    .meta({
      description:
        '`superseded`: the slot was purged meanwhile, or another version than the candidate is current, and the token discarded.',
    }),
});

const problem = z.object({
  type: z.string().regex(/^urn:token-broker:error:[a-z_]+$/),
  title: z.string(),
  status: z.int().min(400).max(599).optional().meta({ description: 'Left out in some answers of API Gateway itself.' }),
  detail: z.string().meta({ description: 'What was wrong, and what to do.' }),
  code: codes,
  request_id: z.string(),
  cause: codes.optional().meta({ description: 'In a cooldown: the code of the failure that began it.' }),
});

const named = {
  HandOut: handOut,
  Rejection: rejectionSchema,
  ConnectionSummary: connectionSummary,
  Connections: z.object({ connections: z.array(connectionSummary) }),
  ConnectionStatus: connectionStatus,
  SlotStatus: slotStatus,
  Try: trySchema,
  Tried: tried,
  ExchangeForm: exchangeForm,
  Exchanged: exchanged,
  ExchangeError: exchangeError,
  Problem: problem.meta({ description: `RFC 9457.\n\n${codeTable()}` }),
} as const;

/** Name of a schema in the document. */
export type SchemaName = keyof typeof named;

/** Value that a schema of the document takes. */
export type SchemaInput<Name extends SchemaName> = z.input<(typeof named)[Name]>;

/** Creates a reference to a schema of the document. */
export function ref(name: SchemaName): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Builds the document's schemas from those that validate requests and from the answers' own. */
export function componentSchemas(): Readonly<Record<string, JsonSchema>> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutIdentity(schema)]));
}

/** Builds the JSON Schema of one parameter. */
export function parameterSchema(schema: z.ZodType): JsonSchema {
  return withoutIdentity(z.toJSONSchema(schema, { io: 'input' }));
}

/** Removes `$schema` and `$id`, which would start a separate document within an OpenAPI 3.1 document. */
function withoutIdentity({ $schema: _schema, $id: _id, ...schema }: Record<string, unknown>): JsonSchema {
  return schema;
}

function wordList(words: Readonly<Record<string, string>>): string {
  return Object.entries(words)
    .map(([name, meaning]) => `\`${name}\`: ${meaning}`)
    .join('; ');
}
