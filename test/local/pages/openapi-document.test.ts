import { readFile } from 'node:fs/promises';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { gatewayAnswers } from '../../../functions/api/gateway-responses.ts';
import { apiRoutes } from '../../../functions/api/routes.ts';
import { statusByCode } from '../../../functions/core/words/errors.ts';
import { ExchangeError } from '../../../functions/exchange/exchange-error.ts';
import { openapiDocument } from '../../../local/pages/openapi/document.ts';

const document = openapiDocument();
const METHODS = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options']);

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, operation]) => (METHODS.has(method) ? [{ path, method, operation }] : [])),
);

async function lint(source: unknown): Promise<readonly string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const problems = await lintFromString({ source: JSON.stringify(source), absoluteRef: '/openapi.json', config });
  return problems.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

describe('the OpenAPI document', () => {
  it('is the file in the repository: `npm run openapi` writes it', async () => {
    const file = await readFile(new URL('../../../openapi.json', import.meta.url), 'utf8');
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('has nothing for a linter to say, whose strictest rules are on', async () => {
    expect(await lint(document)).toEqual([]);
    const broken = { ...document, security: [{ unheardOf: [] }] };
    expect(await lint(broken)).not.toEqual([]);
  });

  it('has every route of the API and no other', () => {
    const declared = apiRoutes
      .filter(({ method }) => method !== 'ANY')
      .map(({ method, resource }) => `${method} ${resource}`);
    const described = operations
      .filter(({ path }) => !path.startsWith('/proxy/'))
      .map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(described.sort()).toEqual([...declared].sort());

    const proxied = operations.filter(({ path }) => path === '/proxy/{connection}/{subject}/{path}');
    expect(new Set(proxied.map(({ method }) => method))).toEqual(METHODS);
    expect(apiRoutes.map(({ resource }) => resource)).toContain('/proxy/{connection}/{path+}');
  });

  it('asks for a signature exactly where the API does', () => {
    expect(document['security']).toEqual([{ sigV4: [] }]);
    const open = operations.filter(({ operation }) => Array.isArray(Object(operation).security));
    expect(open.map(({ path }) => path)).toEqual(['/oauth2/token']);
    const openRoutes = apiRoutes.filter(({ authorization }) => authorization === 'NONE');
    expect(openRoutes.map(({ method, resource }) => `${method} ${resource}`)).toEqual(['POST /oauth2/token']);
  });

  it('answers every code with its own status, those of no operation aside', () => {
    const answered = new Map<string, number>();
    for (const response of Object.values(document.components.responses)) {
      for (const schema of problemSchemasOf(response)) {
        // Headers that are too long have no code of their own.
        for (const code of schema.status === 431 ? [] : schema.codes) {
          expect(answered.get(code) ?? schema.status).toBe(schema.status);
          answered.set(code, schema.status);
        }
      }
    }
    const { method_not_allowed: _ofNoOperation, ...expected } = statusByCode;
    const { DEFAULT_4XX: _ofAnyStatus, ...ofGateway } = gatewayAnswers;
    const statuses = new Map<string, number>(Object.entries(expected));
    for (const { code, status } of Object.values(ofGateway)) statuses.set(code, status);
    expect(Object.fromEntries(answered)).toEqual(Object.fromEntries(statuses));
    expect(String(document.components.schemas['Problem']?.['description'])).toContain('`method_not_allowed`');
  });

  it('takes its patterns from where requests are judged', () => {
    const parameters = JSON.stringify(document.paths);
    expect(parameters).toContain('^[0-9]{1,9}$');
    expect(document.components.schemas['Rejection']).toMatchObject({
      properties: { rejected: { pattern: '^[0-9a-f]{64}$' } },
      required: ['rejected'],
    });
  });
});

function problemSchemasOf(response: unknown): readonly { status: number; codes: readonly string[] }[] {
  const content = Object(Object(response).content);
  const schema = Object(content['application/problem+json']).schema;
  if (schema === undefined) return [];
  const { status, code } = Object(Object(schema).allOf[1]).properties;
  return [{ status: status.const, codes: code.enum }];
}

describe('the examples of the OpenAPI document', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ ...document, $id: 'http://document.invalid/openapi.json' });

  /** Every body of the document, with its place: a schema, and the examples of it. */
  function bodiesIn(node: unknown, place = ''): readonly { place: string; schema: unknown; values: unknown[] }[] {
    if (typeof node !== 'object' || node === null) return [];
    const { schema, example, examples } = Object(node);
    const own = /\/content\/[^ ]+$/.test(place) && schema !== undefined;
    const named = Object.values(Object(examples)).map((each) => Object(resolve(String(Object(each)['$ref']))).value);
    const values = [...(example === undefined ? [] : [example]), ...named];
    const inner = Object.entries(node).flatMap(([name, value]) =>
      bodiesIn(value, `${place}/${name.replaceAll('/', '.')}`),
    );
    return own ? [{ place, schema, values }, ...inner] : inner;
  }
  const resolve = (reference: string) =>
    reference
      .split('/')
      .slice(1)
      .reduce((inner: unknown, name) => Object(inner)[name], document);
  const bodies = bodiesIn(document);

  it('are there for every body, and are as the schema says', () => {
    expect(bodies.length).toBeGreaterThan(40);
    for (const { place, schema, values } of bodies) {
      expect([place, values.length]).not.toEqual([place, 0]);
      const { $ref, ...rest } = Object(schema);
      const whole = JSON.parse(
        JSON.stringify($ref === undefined ? rest : { $ref }).replaceAll(
          '"#/',
          '"http://document.invalid/openapi.json#/',
        ),
      );
      const validate = ajv.compile(whole);
      for (const value of values) expect([place, validate(value), validate.errors]).toEqual([place, true, null]);
    }
  });

  it('stand under the status that goes with what they say', () => {
    const told = bodies.flatMap(({ place, values }) => {
      const status = /\/responses\/(?:[a-z-]+-)?([0-9]{3})\/content\//.exec(place)?.[1];
      return status === undefined ? [] : values.map((value) => ({ place, status: Number(status), value }));
    });
    expect(told.length).toBeGreaterThan(100);
    for (const { place, status, value } of told) {
      const { status: said = status, error, code } = Object(value);
      expect([place, said]).toEqual([place, status]);
      if (error === undefined) continue;
      const own: Readonly<Record<string, number>> = statusByCode;
      expect([place, own[code] ?? new ExchangeError(error, '').status]).toEqual([place, status]);
    }
  });

  it('have a value for each field of a form: Swagger UI makes one up where there is none', () => {
    const { properties } = Object(document.components.schemas['ExchangeForm']);
    for (const [name, field] of Object.entries(properties)) {
      const { const: only, enum: among, examples = among ?? [only] } = Object(field);
      expect([name, examples[0]]).toEqual([name, expect.any(String)]);
    }
  });

  it('say nothing of the kind that a generator makes up', () => {
    const values = JSON.stringify(bodies.map((body) => body.values));
    expect(values).not.toMatch(/"string"|"additionalProp/);
  });
});
