import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { callJson, createCaller, invoke } from '../aws-calls.ts';
import { type Environment, requireName, type StackResource } from '../place.ts';
import { until } from '../upstreams.ts';

const DYNAMODB = 'DynamoDB_20120810';
const LOGINS_SORT_KEY = '!logins';
const LOGGED_WITHIN_MS = 5_000;
/** The schedule runs each minute. */
const SWEPT_WITHIN_MS = 90_000;
const QUEUED_WITHIN_MS = 20_000;

const found = z.object({ Items: z.array(z.object({ sk: z.object({ S: z.string() }) })) });
const policyOfSecret = z.object({ ResourcePolicy: z.string() });
const logged = z.object({ events: z.array(z.unknown()) });
const received = z.object({ Messages: z.array(z.unknown()).optional() });

/** A change to an item, as DynamoDB takes it. */
type Update = Readonly<Record<'UpdateExpression', string>> & { readonly ExpressionAttributeValues?: object };

/** The ways to bring a broker's parts into a state that its users cannot bring them into. Nothing is refused to the owner. */
export interface Owner {
  /** Changes the item of a slot of a connection. */
  changeSlot(connection: string, subject: string, update: Update): Promise<void>;
  /** Forgets when `rotation` reacted to a new version last, so that it notes it again. */
  forgetRotation(connection: string): Promise<void>;
  /** Does the work while a function, named as in its logical id, can have no execution. */
  withoutExecutions<T>(functionId: string, work: () => Promise<T>): Promise<T>;
  /** Does the work while nobody may put a value of a secret. */
  withoutPuts(secret: string, work: () => Promise<void>): Promise<void>;
  /** Invokes a function, and throws where it fails. */
  run(functionId: string): Promise<void>;
  /** Throws unless the work is in the log of a function. */
  checkLog(functionId: string, work: () => Promise<void>): Promise<void>;
  /** Throws unless the schedule runs its function. */
  awaitSchedule(): Promise<void>;
  /** Throws unless an event that a function could not take is in the queue of such. */
  checkDeadLetters(functionId: string): Promise<void>;
}

/** Creates the account's owner, for the resources of a broker's stack. */
export function createOwner(environment: Environment, resources: readonly StackResource[]): Owner {
  const callLambda = createCaller(environment['AWS_ENDPOINT_URL'] ?? '', environment, 'lambda');
  const nameOf = (type: string, id: string) => requireName(resources, type, id);
  const functionOf = (id: string) => nameOf('AWS::Lambda::Function', id);

  async function callAs(target: string, parameters: object): Promise<unknown> {
    const { status, body } = await callJson(environment, target, parameters);
    assert.equal(status, 200, body);
    return body === '' ? undefined : JSON.parse(body);
  }

  async function changeItems(connection: string, sortKey: string, update: Update): Promise<void> {
    const TableName = nameOf('AWS::DynamoDB::GlobalTable', 'BrokerSlots');
    const query = {
      TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': { S: connection }, ':sk': { S: sortKey } },
    };
    const { Items } = found.parse(await callAs(`${DYNAMODB}.Query`, query));
    assert.ok(Items.length > 0, `${connection} has no item ${sortKey}`);
    for (const { sk } of Items) {
      await callAs(`${DYNAMODB}.UpdateItem`, { TableName, Key: { pk: { S: connection }, sk }, ...update });
    }
  }

  async function withoutExecutions<T>(functionId: string, work: () => Promise<T>): Promise<T> {
    const target = `/2017-10-31/functions/${functionOf(functionId)}/concurrency`;
    const body = JSON.stringify({ ReservedConcurrentExecutions: 0 });
    const { status, body: said } = await callLambda('PUT', target, { body });
    assert.equal(status, 200, said);
    try {
      return await work();
    } finally {
      await callLambda('DELETE', target);
    }
  }

  async function awaitLog(functionId: string, since: number, withinMs: number): Promise<void> {
    const logGroupName = nameOf('AWS::Logs::LogGroup', `${functionId}Log`);
    await until(withinMs, async () => {
      const answer = await callAs('Logs_20140328.FilterLogEvents', { logGroupName, startTime: since });
      return logged.parse(answer).events.length > 0 ? true : undefined;
    });
  }

  return {
    changeSlot: (connection, subject, update) => changeItems(connection, `${subject}#`, update),
    forgetRotation: (connection) => changeItems(connection, LOGINS_SORT_KEY, { UpdateExpression: 'REMOVE rotatedAt' }),
    withoutExecutions,

    async withoutPuts(SecretId, work) {
      const { ResourcePolicy } = policyOfSecret.parse(await callAs('secretsmanager.GetResourcePolicy', { SecretId }));
      const { Statement, ...document } = z
        .looseObject({ Statement: z.array(z.unknown()) })
        .parse(JSON.parse(ResourcePolicy));
      const closed = {
        ...document,
        Statement: [
          ...Statement,
          { Effect: 'Deny', Principal: '*', Action: 'secretsmanager:PutSecretValue', Resource: '*' },
        ],
      };
      await callAs('secretsmanager.PutResourcePolicy', { SecretId, ResourcePolicy: JSON.stringify(closed) });
      try {
        await work();
      } finally {
        await callAs('secretsmanager.PutResourcePolicy', { SecretId, ResourcePolicy });
      }
    },

    async run(functionId) {
      const { status, headers, body } = await invoke(environment, functionOf(functionId), {});
      assert.ok(status === 200 && !headers.has('x-amz-function-error'), body);
    },

    async checkLog(functionId, work) {
      const since = Date.now();
      await work();
      await awaitLog(functionId, since, LOGGED_WITHIN_MS);
    },

    awaitSchedule: () => awaitLog('BrokerRefresh', Date.now(), SWEPT_WITHIN_MS),

    async checkDeadLetters(functionId) {
      const QueueUrl = nameOf('AWS::SQS::Queue', 'BrokerDeadLetters');
      const mark = randomUUID();
      await callAs('AmazonSQS.PurgeQueue', { QueueUrl });
      await withoutExecutions(functionId, async () => {
        const target = `/2015-03-31/functions/${functionOf(functionId)}/invocations`;
        const headers = { 'x-amz-invocation-type': 'Event' };
        const { status } = await callLambda('POST', target, { headers, body: JSON.stringify({ mark }) });
        assert.equal(status, 202);
        await until(QUEUED_WITHIN_MS, async () => {
          const parameters = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 };
          const { Messages = [] } = received.parse(await callAs('AmazonSQS.ReceiveMessage', parameters));
          return JSON.stringify(Messages).includes(mark) ? true : undefined;
        });
      });
    },
  };
}
