import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as z from 'zod';

/** A request as bytes are made of it, and the statuses that the document allows for its answer. */
export interface FuzzedRequest {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Statuses documented for its operation. Undefined for an operation that is not in the document. */
  readonly documented: ReadonlySet<string> | undefined;
}

const parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  schema: z.object({ pattern: z.optional(z.string()) }),
});
const operation = z.object({
  parameters: z._default(z.array(parameter), []),
  requestBody: z.optional(z.object({ content: z.record(z.string(), z.unknown()) })),
  responses: z.record(z.string(), z.unknown()),
});
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;
const document = z.object({
  paths: z.record(
    z.string(),
    z.object({
      parameters: z._default(z.array(parameter), []),
      ...Object.fromEntries(METHODS.map((method) => [method, z.optional(operation)])),
    }),
  ),
});

/** One operation of the document. */
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly z.infer<typeof parameter>[];
  readonly mediaTypes: readonly string[];
  readonly statuses: ReadonlySet<string>;
}

const HASH = 'ab'.repeat(32);
const JSON_TYPE = 'application/json';
const hostileText = fc.oneof(
  fc.constantFrom('', '..', '.', '%', '%2f', '%2e%2e', '%00', '%0d%0aX-Injected:1', '%c0%ae', '%ff', '__proto__'),
  fc.constantFrom('constructor', 'toString', '$default', '{connection}', '*', '88;a', "88'--", '0', '-1', '2147483648'),
  fc.constantFrom('1e9', '%F0%9F%98%80', 'x'.repeat(300), 'a'.repeat(4_000), '9'.repeat(30)),
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
  fc.webPath(),
);
const hostileBody = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('', '{', '[]', 'null', '"', '\uFEFF{}', '{"__proto__":{"rejected":1}}', '{"rejected":["a"]}')
    .map((text) => Buffer.from(text)),
  fc
    .constantFrom(
      JSON.stringify({ rejected: HASH, more: 1 }),
      `{"rejected":"${HASH}","rejected":"${HASH}"}`,
      `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
      'x'.repeat(8_193),
      'grant_type=a&grant_type=b',
    )
    .map((text) => Buffer.from(text)),
);
const validBody = fc.constantFrom(
  JSON.stringify({ rejected: HASH }),
  'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=a.b.c&audience=helpdesk',
);
const extraHeader: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.constantFrom<readonly [string, string]>(
    ['Authorization', 'Bearer of-the-callers-own'],
    ['Authorization', 'AWS4-HMAC-SHA256 Credential=local/'],
    ['WFMSGAPIKEY', 'of-the-callers-own'],
    ['X-Forwarded-For', '169.254.169.254'],
    ['Content-Encoding', 'gzip'],
    ['Accept', '*/*;q=a'],
    ['Origin', 'https://attacker.example'],
    ['Cookie', 'a=b; __proto__=c'],
    ['X-Amz-Date', 'yesterday'],
    ['Range', 'bytes=0-0,1-1'],
    ['If-None-Match', '*'],
    ['X-Large', 'x'.repeat(9_000)],
  ),
  fc.tuple(
    fc.stringMatching(/^[A-Za-z][A-Za-z-]{0,20}$/).map((name) => `X-${name}`),
    fc.stringMatching(/^[ -~]{0,60}$/),
  ),
);

/** Reads the operations of the document; throws where it is not what this file takes it for. */
export function operationsIn(file: URL): readonly Operation[] {
  const { paths } = document.parse(JSON.parse(readFileSync(file, 'utf8')));
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const found = operation.safeParse((item as Record<string, unknown>)[method]);
      if (!found.success) return [];
      const { parameters, requestBody, responses } = found.data;
      return {
        method: method.toUpperCase(),
        path,
        parameters: [...item.parameters, ...parameters],
        mediaTypes: Object.keys(requestBody?.content ?? {}),
        statuses: new Set(Object.keys(responses)),
      };
    }),
  );
}

/** Requests made from the operations: most of them almost right; `names` are values that lead somewhere. */
export function requestsOf(
  operations: readonly Operation[],
  names: Readonly<Record<string, readonly string[]>>,
): fc.Arbitrary<FuzzedRequest> {
  const documented = fc.constantFrom(...operations).chain((found) => requestOf(found, names));
  const foreign = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'TRACE', 'PROPFIND', 'OPTIONS', 'QUERY'),
    target: fc.oneof(
      hostileText.map((text) => `/${text}`),
      fc.constantFrom('/', '//', '/tokens', '/tokens/', '/docs/..', '/proxy', '/oauth2', '*', '/?', '/connections//'),
    ),
    headers: fc.array(extraHeader, { maxLength: 3 }),
    body: hostileBody,
    documented: fc.constant(undefined),
  });
  return fc.oneof({ arbitrary: documented, weight: 6 }, { arbitrary: foreign, weight: 1 });
}

function requestOf(
  { method, path, parameters, mediaTypes, statuses }: Operation,
  names: Readonly<Record<string, readonly string[]>>,
): fc.Arbitrary<FuzzedRequest> {
  const valueFor = ({ name, schema }: z.infer<typeof parameter>): fc.Arbitrary<string> =>
    fc.oneof(
      { arbitrary: fc.constantFrom(...(names[name] ?? ['60'])), weight: 10 },
      ...(schema.pattern === undefined
        ? []
        : [{ arbitrary: fc.stringMatching(new RegExp(schema.pattern)).map(encodeURIComponent), weight: 1 }]),
      { arbitrary: hostileText, weight: 1 },
    );
  const inPath = parameters.filter((found) => found.in === 'path');
  const inQuery = parameters.filter((found) => found.in === 'query');
  const query = fc.array(
    fc.oneof(
      ...inQuery.map((found) => valueFor(found).map((value) => `${found.name}=${value}`)),
      hostileText.map((text) => `${text}=1`),
    ),
    { maxLength: 2 },
  );
  const hasBody = mediaTypes.length > 0;
  return fc
    .record({
      values: fc.tuple(...inPath.map(valueFor)),
      query: fc.oneof(fc.constant([]), query),
      type: fc.constantFrom(...mediaTypes, JSON_TYPE, 'text/plain', 'application/json; charset=utf-16', ''),
      headers: fc.oneof(fc.constant([]), fc.array(extraHeader, { maxLength: 3 })),
      body: hasBody
        ? fc.oneof(
            validBody.map((text) => Buffer.from(text)),
            hostileBody,
          )
        : fc.constant(Buffer.alloc(0)),
    })
    .map(({ values, query: pairs, type, headers, body }) => {
      const filled = inPath.reduce((at, { name }, index) => at.replace(`{${name}}`, () => values[index] ?? ''), path);
      return {
        method,
        target: pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`,
        headers: [...(hasBody && type !== '' ? [['Content-Type', type] as const] : []), ...headers],
        body,
        documented: statuses,
      };
    });
}
