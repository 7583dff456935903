import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { demoCommunitySecret } from '../../../local/demo/community-knobs.ts';
import { demoHelpmasterSecret } from '../../../local/demo/helpmaster-knobs.ts';
import { demoOAuthSecret, demoRefreshToken } from '../../../local/demo/oauth-knobs.ts';
import { type Answer, callJson, createCaller } from '../aws-calls.ts';
import { problemCodeIn } from '../handed-out.ts';
import type { Environment, Place } from '../place.ts';
import { setKnobs } from '../upstreams.ts';

/** Staff of the demo upstream: each is a subject that nobody has asked for before. */
const STAFF = Array.from({ length: 8_000 }, (_, index) => String(1_000 + index));
const CANDIDATE = 'TOKENBROKER_CANDIDATE';
const REACTS_WITHIN_MS = 1_500;

/** The credentials of the connections that `declareEveryKind` declares. */
const CREDENTIALS = {
  helpdesk: demoHelpmasterSecret,
  wfm: demoCommunitySecret,
  books: { ...demoOAuthSecret, refreshToken: demoRefreshToken },
};
type ConnectionName = keyof typeof CREDENTIALS;

const handedOut = z.object({ access_token: z.string(), generation: z.number() });
const candidate = z.object({ candidate: z.object({ current: z.boolean() }) });

/** The calls that a broker's users make. Each throws unless it is answered as it should be. */
export type Use = ReturnType<typeof createUse>;

/** Creates the calls to a broker with a connection of each kind. */
export function createUse(
  place: Place,
  broker: {
    readonly name: string;
    readonly url: string;
    /** Whoever calls the API. */
    readonly caller: Environment;
    /** Whoever puts secrets. */
    readonly administrator: Environment;
  },
) {
  const { AWS_ACCESS_KEY_ID: _, ...unsigned } = broker.caller;
  const call = createCaller(broker.url, broker.caller);
  const callUnsigned = createCaller(broker.url, unsigned);
  const staff = STAFF.values();

  async function ask(method: string, target: string, body?: object): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const answer = await call(method, target, body === undefined ? {} : { headers, body: JSON.stringify(body) });
    assert.ok(answer.status < 300, `${method} ${target} was answered ${answer.status}: ${answer.body}`);
    return answer.body;
  }

  const token = async (connection: ConnectionName, subject: string) =>
    handedOut.parse(JSON.parse(await ask('GET', `/tokens/${connection}/${subject}`)));

  async function drop(connection: ConnectionName, subject: string): Promise<void> {
    await ask('DELETE', `/tokens/${connection}/${subject}`);
  }

  async function sendExchange(connection: ConnectionName, subject: string): Promise<Answer> {
    // The rule of trust takes a JWT only once.
    const jwt = await place.demo.issuer.sign({ aud: 'token-broker', sub: 'workload', jti: randomUUID() });
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: jwt,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      audience: connection,
      requested_subject: subject,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return callUnsigned('POST', '/oauth2/token', { headers, body: form.toString() });
  }

  const put = (connection: ConnectionName, value: object, label?: string) =>
    putSecret(broker.administrator, `${broker.name}/${connection}`, value, label);

  return {
    ask,
    token,
    drop,

    /** A subject of `helpdesk` that nobody has asked for before. */
    fresh(): string {
      const { value } = staff.next();
      if (value === undefined) throw new Error('There are no more staff to ask for.');
      return value;
    },

    async renew(connection: ConnectionName): Promise<void> {
      await drop(connection, 'system');
      await token(connection, 'system');
    },

    async report(connection: ConnectionName, subject: string): Promise<void> {
      const { access_token: value } = await token(connection, subject);
      const rejected = createHash('sha256').update(value).digest('hex');
      const next = handedOut.parse(JSON.parse(await ask('POST', `/tokens/${connection}/${subject}`, { rejected })));
      assert.ok(next.generation > 1, 'no other token came');
    },

    async exchange(connection: ConnectionName, subject: string): Promise<void> {
      const { status, body } = await sendExchange(connection, subject);
      assert.equal(status, 200, body);
    },

    /** Asks for a token that cannot be had, since `mint` cannot be invoked. */
    async tokenRefused(connection: ConnectionName, subject: string): Promise<void> {
      const { body } = await call('GET', `/tokens/${connection}/${subject}`);
      assert.equal(problemCodeIn(body), 'mint_unavailable');
    },

    async exchangeRefused(connection: ConnectionName, subject: string): Promise<void> {
      const { body } = await sendExchange(connection, subject);
      assert.equal(problemCodeIn(body), 'mint_unavailable', body);
    },

    /** Has a value tried that is the current one all the same, and made current. */
    async tryCandidate(connection: ConnectionName): Promise<void> {
      await put(connection, CREDENTIALS[connection], CANDIDATE);
      const tried = await ask('POST', `/connections/${connection}/try`, { candidate: true });
      assert.ok(candidate.parse(JSON.parse(tried)).candidate.current, 'the candidate is not current');
    },

    /** Puts a new value, and waits until `rotation` has heard of it. */
    async putAndSettle(connection: ConnectionName, value: object = CREDENTIALS[connection]): Promise<void> {
      await put(connection, value);
      await sleep(REACTS_WITHIN_MS);
    },

    /** Puts the credential of each connection, and gives the demo upstream the staff that the steps ask for. */
    async prepare(): Promise<void> {
      await setKnobs(place.demo.helpmaster.url, { staff: ['1', '42', '88', ...STAFF] });
      await setKnobs(place.demo.oauth.url, { rotation: 'every-use' });
      for (const connection of ['helpdesk', 'wfm', 'books'] as const) await put(connection, CREDENTIALS[connection]);
    },
  };
}

/** Puts a new value of a secret, current or under a label of its own. */
export async function putSecret(
  administrator: Environment,
  SecretId: string,
  value: object,
  label?: string,
): Promise<void> {
  const labels = label === undefined ? {} : { VersionStages: [label] };
  const parameters = { SecretId, SecretString: JSON.stringify(value), ClientRequestToken: randomUUID(), ...labels };
  const { status, body } = await callJson(administrator, 'secretsmanager.PutSecretValue', parameters);
  assert.equal(status, 200, body);
}
