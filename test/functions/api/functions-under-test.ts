import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { expect } from 'vitest';
import { createDynamodbClient } from '../../../functions/adapters/dynamodb/client.ts';
import { createDynamodbStore } from '../../../functions/adapters/dynamodb/store.ts';
import { serializeConfiguration } from '../../../functions/configuration/bundle.ts';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { startDynamodbFaultProxy } from '../../../local/aws/dynamodb-faults.ts';
import { startLoopbackAws } from '../../../local/aws/loopback-aws.ts';
import { createOperatorSecrets } from '../../../local/aws/operator-secrets.ts';
import { demoCommunitySecret, startDemoCommunity } from '../../../local/demo/community.ts';
import { demoHelpmasterSecret, startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import { startEmbeddedDynamodb } from '../../../local/embedded-dynamodb.ts';
import { composeFunctions, environmentOf, TABLE } from '../../../local/functions.ts';
import { createEvent, type GatewayEvent } from '../../../local/gateway/event.ts';
import { withoutStage } from '../../../local/gateway/received-request.ts';
import { createRouter } from '../../../local/gateway/routes.ts';
import { invoke, type LocalFunction } from '../../../local/lambda/invoke.ts';
import { createMemorySecrets } from '../../../local/secret-source.ts';
import { makeTables } from '../../../local/tables.ts';
import { makeFolder } from '../../system/own-broker.ts';

export const CALLER = 'arn:aws:iam::123456789012:role/reporting';
export const REQUEST_ID = 'request-0001';
export const JSON_TYPE = { 'content-type': 'application/json' };

/** A request to the API; what is left out is a plain signed GET. */
export interface ApiRequest {
  readonly method?: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Changes the event into one that only a misconfigured API sends. */
  readonly alter?: (event: GatewayEvent) => GatewayEvent;
  /** The remaining time of the Lambda. Default: 27 s. */
  readonly remainingMs?: number;
}

/** An answer of a function, its body parsed. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** Empty where the body is no JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Every function, composed as its Lambda is, over loopback services that count what is asked of them. */
export type FunctionsUnderTest = Awaited<ReturnType<typeof startFunctionsUnderTest>>;

/** Starts them on the connections that `declare` makes of the demo upstreams' base URLs, with further variables. */
export async function startFunctionsUnderTest(
  declare: (urls: { readonly helpmaster: string; readonly community: string }) => unknown,
  variables: Readonly<Record<string, string>> = {},
) {
  const helpmaster = await startDemoHelpmaster();
  const community = await startDemoCommunity();
  const configuration = resolveConnections(declare({ helpmaster: helpmaster.baseUrl, community: community.baseUrl }));
  const secrets = createMemorySecrets({
    versionKey: randomBytes(32),
    nameOf: (connection) => configuration.connections[connection]?.secret ?? connection,
  });
  for (const { name, provider } of Object.values(configuration.connections)) {
    secrets.put(name, provider.name === 'helpmaster' ? { ...demoHelpmasterSecret } : { ...demoCommunitySecret });
  }
  const embedded = await startEmbeddedDynamodb({});
  const dynamodb = await startDynamodbFaultProxy(embedded.endpoint);
  const invocable = new Map<string, LocalFunction>();
  const aws = await startLoopbackAws({
    secrets,
    operators: createOperatorSecrets(secrets),
    masterKey: randomBytes(32),
    functions: invocable,
  });
  const folder = await makeFolder();
  const configurationFile = join(folder.path, 'configuration.json');
  await writeFile(configurationFile, serializeConfiguration(configuration));
  const places = { dynamodbEndpoint: dynamodb.endpoint, awsEndpoint: aws.endpoint, configurationFile };
  const environment = { ...environmentOf(places), ...variables };
  await makeTables(environment);

  const lines: string[] = [];
  const output = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const functions = composeFunctions(configuration, environment, output);
  for (const [name, target] of functions.invocable) invocable.set(name, target);
  const route = createRouter(functions.routes);

  async function call({ method = 'GET', path, query = '', headers = {}, body = '', ...rest }: ApiRequest) {
    const match = route(method, withoutStage(path));
    if (match === undefined) throw new Error(`No route takes ${method} ${path}.`);
    const { alter = (event) => event, remainingMs = match.route.timeoutMs } = rest;
    const event = createEvent({
      received: {
        method,
        rawPath: path,
        path: withoutStage(path),
        rawQueryString: query,
        headers: new Map(Object.entries(headers)),
        lines: Object.entries(headers),
        authority: undefined,
      },
      match,
      body: Buffer.from(body),
      caller: CALLER,
      requestId: REQUEST_ID,
      sourceIp: '127.0.0.1',
      httpVersion: '1.1',
      port: 443,
      time: Date.now(),
    });
    const outcome = await invoke({ ...match.route, timeoutMs: remainingMs }, alter(event), {
      requestId: 'lambda-request',
      withinMs: match.route.timeoutMs,
    });
    if (outcome.kind !== 'returned') throw new Error(`The function ${outcome.kind}: it must always answer.`);
    return answerOf(outcome.value);
  }

  /** Runs a function that no route leads to. */
  async function run(name: 'refresh' | 'rotation' | `mint-${string}`, event: unknown): Promise<unknown> {
    const own = name === 'refresh' || name === 'rotation' ? functions[name] : functions.invocable.get(name);
    if (own === undefined) throw new Error(`There is no function ${name}.`);
    const outcome = await invoke({ functionName: name, ...own }, event);
    if (outcome.kind === 'returned') return outcome.value;
    throw outcome.kind === 'failed' ? outcome.error : new Error(`The function ${name} timed out.`);
  }

  const logins = () => helpmaster.ledger().logins.length + community.ledger().logins.length;
  let loginsBefore = 0;
  return {
    configuration,
    environment,
    functions,
    store: createDynamodbStore({ client: createDynamodbClient(environment), table: TABLE }),
    helpmaster,
    community,
    secrets,
    dynamodb: dynamodb.faults,
    aws: aws.faults,
    call,
    run,
    /** Every operation on a service, and every login, since this was last asked. */
    downstream(): Readonly<Record<string, number>> {
      const seen = { ...dynamodb.faults.counts(), ...aws.faults.counts() };
      const newLogins = logins() - loginsBefore;
      dynamodb.faults.resetCounts();
      aws.faults.resetCounts();
      loginsBefore = logins();
      return newLogins === 0 ? seen : { ...seen, logins: newLogins };
    },
    /** The lines logged so far. */
    log: (): readonly Record<string, unknown>[] =>
      lines
        .join('')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
    async close() {
      await aws.close();
      await dynamodb.close();
      await embedded.close();
      await Promise.all([helpmaster.close(), community.close()]);
      await folder.remove();
    },
  };
}

function answerOf(value: unknown): ApiAnswer {
  // API functions return this shape. API Gateway takes no other.
  const { statusCode = 0, headers = {}, body = '' } = value as APIGatewayProxyResult;
  return { status: statusCode, headers, body, json: body === '' ? {} : JSON.parse(body) };
}

/** Builds the expected problem response of any code (RFC 9457). */
export function problemWith(status: number, code: string, headers: Readonly<Record<string, unknown>> = {}) {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    json: {
      type: `urn:token-broker:error:${code}`,
      title: expect.stringMatching(/./),
      status,
      detail: expect.stringMatching(/./),
      code,
      request_id: REQUEST_ID,
    },
  };
}
