import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { demoCommunitySecret } from '../../../local/demo/community-knobs.ts';
import { demoHelpmasterSecret } from '../../../local/demo/helpmaster-knobs.ts';
import { demoOAuthSecret, demoRefreshToken } from '../../../local/demo/oauth-knobs.ts';
import { callJson, createCaller, invoke } from '../aws-calls.ts';
import { type Environment, type Place, requireName, type StackResource } from '../place.ts';
import { setKnobs } from '../upstreams.ts';

/** A step of use that some function does with its own rights; it fails where the function could not. */
export interface Probe {
  readonly name: string;
  /** Functions whose rights it needs, by what they are: `token`, `mint-helpdesk`. */
  readonly of: readonly string[];
  run(): Promise<void>;
}

/** Staff of the demo upstream: each is a subject that nobody has asked for before. */
export const STAFF = Array.from({ length: 4_000 }, (_, index) => String(1_000 + index));
const REACTS_WITHIN_MS = 1_500;
/** `mint` serves every slot from a copy of a secret for 5 s. */
const COPY_LASTS_MS = 6_000;

/** Creates the steps that use a broker with a connection of each kind, as `writeEveryKind` declares it. */
export function createProbes(
  place: Place,
  broker: {
    readonly name: string;
    readonly url: string;
    /** Whoever calls the API. */
    readonly caller: Environment;
    /** Whoever puts secrets. */
    readonly administrator: Environment;
    readonly resources: readonly StackResource[];
  },
): readonly Probe[] {
  const { caller, administrator, resources, url, name: brokerName } = broker;
  const call = createCaller(url, caller);
  const { AWS_ACCESS_KEY_ID: _, ...unsigned } = caller;
  const callUnsigned = createCaller(url, unsigned);
  const staff = STAFF.values();
  const fresh = (): string => {
    const { value } = staff.next();
    if (value === undefined) throw new Error('There are no more staff to ask for.');
    return value;
  };

  async function ask(method: string, target: string, body?: object): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const answer = await call(method, target, body === undefined ? {} : { headers, body: JSON.stringify(body) });
    assert.ok(answer.status < 300, `${method} ${target} was answered ${answer.status}: ${answer.body}`);
    return answer.body;
  }

  async function tokenOf(connection: string, subject: string): Promise<string> {
    const { access_token: token } = JSON.parse(await ask('GET', `/tokens/${connection}/${subject}`));
    return createHash('sha256').update(token).digest('hex');
  }

  async function report(connection: string, subject: string): Promise<void> {
    const rejected = await tokenOf(connection, subject);
    const next: { generation: number } = JSON.parse(
      await ask('POST', `/tokens/${connection}/${subject}`, { rejected }),
    );
    assert.ok(next.generation > 1, 'no other token came');
  }

  async function renew(connection: string): Promise<void> {
    await ask('DELETE', `/tokens/${connection}/system`);
    await tokenOf(connection, 'system');
  }

  async function exchange(subject: string): Promise<void> {
    const jwt = await place.demo.issuer.sign({ aud: 'token-broker', sub: 'workload', jti: randomUUID() });
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: jwt,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      audience: 'helpdesk',
      requested_subject: subject,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const { status, body } = await callUnsigned('POST', '/oauth2/token', { headers, body: form.toString() });
    assert.equal(status, 200, body);
  }

  const put = (connection: string, value: object) => putSecret(administrator, `${brokerName}/${connection}`, value);

  const helpmaster = ['mint-helpdesk'];
  return [
    {
      name: 'a first token of a subject',
      of: ['token', ...helpmaster],
      run: async () => void (await tokenOf('helpdesk', fresh())),
    },
    { name: 'a report of a refused token', of: ['token', ...helpmaster], run: () => report('helpdesk', fresh()) },
    { name: 'a Community token after its purge', of: ['token', 'mint-wfm', 'connections'], run: () => renew('wfm') },
    {
      name: 'a token by a refresh token that rotates',
      of: ['token', 'mint-books', 'connections'],
      run: async () => {
        await setKnobs(place.demo.oauth.url, { rotation: 'every-use' });
        await renew('books');
        await renew('books');
      },
    },
    {
      name: 'a proxied call of a new subject',
      of: ['proxy-helpdesk', ...helpmaster],
      run: async () => void (await ask('GET', `/proxy/helpdesk/${fresh()}/files/1`)),
    },
    {
      name: 'a proxied call whose answer slides the token',
      of: ['proxy-wfm', 'mint-wfm', 'connections'],
      run: async () => {
        await ask('DELETE', '/tokens/wfm/system');
        await ask('GET', '/proxy/wfm/system/SingleRecurringEvent');
      },
    },
    {
      name: 'a proxied call by a refresh token',
      of: ['proxy-books', 'mint-books', 'connections'],
      run: async () => {
        await ask('DELETE', '/tokens/books/system');
        await ask('GET', '/proxy/books/system/orders');
      },
    },
    { name: "a workload's exchange, of a new token", of: ['exchange', ...helpmaster], run: () => exchangeNew() },
    {
      name: 'the states of a connection',
      of: ['connections'],
      run: async () => void (await ask('GET', '/connections/helpdesk')),
    },
    {
      name: 'a try of a login',
      of: ['connections', ...helpmaster],
      run: async () => {
        const tried = await ask('POST', '/connections/helpdesk/try', {});
        assert.match(tried, /"generation":/);
      },
    },
    {
      name: 'tries of the other logins',
      of: ['connections', 'mint-wfm', 'mint-books'],
      run: async () => {
        for (const connection of ['wfm', 'books']) {
          await ask('DELETE', `/tokens/${connection}/system`);
          await ask('POST', `/connections/${connection}/try`, {});
        }
      },
    },
    { name: 'a sweep of what is due', of: ['refresh', ...helpmaster, 'mint-wfm', 'mint-books'], run: sweep },
    {
      name: 'the end of a back-off by a new secret',
      of: ['rotation', 'connections', 'token', ...helpmaster],
      run: async () => {
        // Not a wrong credential: logins that are refused stop all others for half an hour, so that no account is locked.
        await put('helpdesk', { apikey: 'of a field that no provider has' });
        await sleep(COPY_LASTS_MS);
        await ask('DELETE', '/tokens/helpdesk/system');
        const { status } = await call('GET', '/tokens/helpdesk/system');
        assert.ok(status >= 400, 'a secret without its field brought a token');
        await put('helpdesk', demoHelpmasterSecret);
        await sleep(REACTS_WITHIN_MS);
        await tokenOf('helpdesk', 'system');
      },
    },
  ];

  /** Runs the schedule's sweep over a slot of each connection, which is made due. Nobody but the account's owner may. */
  async function sweep(): Promise<void> {
    const TableName = requireName(resources, 'AWS::DynamoDB::GlobalTable', 'BrokerSlots');
    for (const connection of ['helpdesk', 'wfm', 'books']) {
      await tokenOf(connection, 'system');
      const query = {
        TableName,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
        ExpressionAttributeValues: { ':pk': { S: connection }, ':sk': { S: 'system' } },
      };
      const { body } = await callJson(place.owner, 'DynamoDB_20120810.Query', query);
      const found: { Items: { sk: { S: string } }[] } = JSON.parse(body);
      for (const { sk } of found.Items) {
        const update = {
          TableName,
          Key: { pk: { S: connection }, sk },
          UpdateExpression: 'SET dueAt = :due',
          ExpressionAttributeValues: { ':due': { N: '1' } },
        };
        assert.equal((await callJson(place.owner, 'DynamoDB_20120810.UpdateItem', update)).status, 200);
      }
      assert.ok(found.Items.length > 0, `${connection} has no slot`);
    }
    const { status, headers, body } = await invoke(
      place.owner,
      requireName(resources, 'AWS::Lambda::Function', 'BrokerRefresh'),
      {},
    );
    assert.ok(status === 200 && !headers.has('x-amz-function-error'), body);
  }

  /** The rule of trust takes a JWT only once, and the subjects `88` and `42` of it. */
  async function exchangeNew(): Promise<void> {
    await ask('DELETE', '/tokens/helpdesk/88');
    await exchange('88');
  }
}

/** Puts the credentials of the broker's connections, and gives the demo upstream the staff that the steps ask for. */
export async function prepare(place: Place, brokerName: string, administrator: Environment): Promise<void> {
  await setKnobs(place.demo.helpmaster.url, { staff: ['1', '42', '88', ...STAFF] });
  const values = {
    helpdesk: demoHelpmasterSecret,
    wfm: demoCommunitySecret,
    books: { ...demoOAuthSecret, refreshToken: demoRefreshToken },
  };
  for (const [connection, value] of Object.entries(values)) {
    await putSecret(administrator, `${brokerName}/${connection}`, value);
  }
}

/** Puts a new value of a secret. */
export async function putSecret(administrator: Environment, SecretId: string, value: object): Promise<void> {
  const parameters = { SecretId, SecretString: JSON.stringify(value), ClientRequestToken: randomUUID() };
  const { status, body } = await callJson(administrator, 'secretsmanager.PutSecretValue', parameters);
  assert.equal(status, 200, body);
}
