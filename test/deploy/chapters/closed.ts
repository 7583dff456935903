import assert from 'node:assert/strict';
import { callJson, createCaller, invoke } from '../aws-calls.ts';
import { problemCodeIn } from '../handed-out.ts';
import { type Environment, readResources } from '../place.ts';
import type { Report } from '../report.ts';

/** Checks that a broker is closed to `stranger`, an administrator whom it does not name. */
export async function checkClosed(
  report: Report,
  broker: { readonly stack: string; readonly url: string; readonly secrets: readonly string[] },
  stranger: Environment,
): Promise<void> {
  await report.step('An administrator whom the broker does not name is refused at each route', async () => {
    const call = createCaller(broker.url, stranger);
    for (const [method, target] of [
      ['GET', '/tokens/helpdesk/system'],
      ['GET', '/proxy/helpdesk/system/files/1'],
      ['GET', '/connections'],
      ['DELETE', '/tokens/helpdesk/system'],
      ['POST', '/connections/helpdesk/try'],
    ] as const) {
      const { status, headers, body } = await call(method, target);
      assert.deepEqual([status, problemCodeIn(body)], [403, 'forbidden'], `${method} ${target}`);
      assert.match(headers.get('content-type') ?? '', /application\/problem\+json/);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.match(body, /"request_id":"[0-9a-f-]{36}"/);
    }
  });
  await report.step('An administrator reads no credential, by itself nor in a batch', async () => {
    for (const SecretId of broker.secrets) {
      const { status, body } = await callJson(stranger, 'secretsmanager.GetSecretValue', { SecretId });
      assert.notEqual(status, 200);
      assert.match(body, /AccessDenied/);
    }
    const { body } = await callJson(stranger, 'secretsmanager.BatchGetSecretValue', { SecretIdList: broker.secrets });
    // `doesNotMatch` would quote what it found.
    assert.ok(!body.includes('"SecretString"'), 'a batch holds a credential');
  });
  await report.step('An administrator invokes no function of the broker', async () => {
    const functions = (await readResources(stranger, broker.stack))
      .filter(({ ResourceType }) => ResourceType === 'AWS::Lambda::Function')
      .map(({ PhysicalResourceId }) => PhysicalResourceId);
    assert.ok(functions.length >= 5, functions.join(', '));
    for (const name of functions) {
      const { status, body } = await invoke(stranger, name, {});
      assert.equal(status, 403, `${name}: ${body}`);
    }
  });
}
