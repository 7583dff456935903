import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place, StackResource } from '../place.ts';
import { until } from '../upstreams.ts';
import { createOwner, type Owner } from './owner.ts';
import { createUse, type Use } from './use.ts';

/** A step of use that some function does with its own rights; it fails where the function could not. */
export interface Probe {
  readonly name: string;
  /** Whose rights it needs: functions by what they are, `token`, `mint-helpdesk`, and the `schedule`. */
  readonly of: readonly string[];
  /** Set where it is about these rights alone: they are taken away for no other step. */
  readonly about?: RegExp;
  /** An action that the step itself has refused. */
  readonly provokes?: string;
  run(): Promise<void>;
}

/** `mint` serves every slot from a copy of a secret for 5 s. */
const COPY_LASTS_MS = 6_000;
/** A Community token of this broker is due 1.2 s after it was issued. */
const DUE_AFTER_MS = 1_500;
const SLIDES_WITHIN_MS = 6_000;
/** Functions by what they are, and the beginning of their logical ids. */
const FUNCTIONS = {
  token: 'BrokerToken',
  exchange: 'BrokerExchange',
  connections: 'BrokerConnections',
  refresh: 'BrokerRefresh',
  rotation: 'BrokerRotation',
  'mint-helpdesk': 'Minthelpdesk',
  'mint-wfm': 'Mintwfm',
  'mint-books': 'Mintbooks',
  'proxy-helpdesk': 'Proxyhelpdesk',
  'proxy-wfm': 'Proxywfm',
  'proxy-books': 'Proxybooks',
};

/** Creates the steps that use a broker with a connection of each kind, as `declareEveryKind` has it. */
export function createProbes(
  place: Place,
  broker: Parameters<typeof createUse>[1] & { readonly resources: readonly StackResource[] },
): { readonly probes: readonly Probe[]; prepare(): Promise<void> } {
  const use = createUse(place, broker);
  const owner = createOwner(place.owner, broker.resources);
  const probes = [...probesOfUse(use), ...probesOfStates(use, owner, broker.name)];
  return { probes: [...probes, ...probesOfLambda(probes, owner)], prepare: use.prepare };
}

/** The steps that users take. */
function probesOfUse(use: Use): readonly Probe[] {
  const helpmaster = ['mint-helpdesk'];
  return [
    {
      name: 'a first token of a subject',
      of: ['token', ...helpmaster],
      run: async () => void (await use.token('helpdesk', use.fresh())),
    },
    {
      name: 'a report of a refused token',
      of: ['token', ...helpmaster],
      run: () => use.report('helpdesk', use.fresh()),
    },
    {
      name: 'a Community token after its purge',
      of: ['token', 'mint-wfm', 'connections'],
      run: () => use.renew('wfm'),
    },
    {
      name: 'a token by a refresh token that rotates',
      of: ['token', 'mint-books', 'connections'],
      run: async () => {
        await use.renew('books');
        await use.renew('books');
      },
    },
    {
      name: 'a proxied call of a new subject',
      of: ['proxy-helpdesk', ...helpmaster],
      run: async () => void (await use.ask('GET', `/proxy/helpdesk/${use.fresh()}/files/1`)),
    },
    {
      name: 'a proxied call whose answer slides the token',
      of: ['proxy-wfm', 'mint-wfm', 'connections'],
      run: async () => {
        await use.drop('wfm', 'system');
        await use.ask('GET', '/proxy/wfm/system/SingleRecurringEvent');
        await sleep(DUE_AFTER_MS);
        await use.ask('GET', '/proxy/wfm/system/SingleRecurringEvent');
      },
    },
    {
      name: 'a proxied call by a refresh token',
      of: ['proxy-books', 'mint-books', 'connections'],
      run: async () => {
        await use.drop('books', 'system');
        await use.ask('GET', '/proxy/books/system/orders');
      },
    },
    {
      name: "a workload's exchange, of a new token",
      of: ['exchange', ...helpmaster],
      run: async () => {
        await use.drop('helpdesk', '88');
        await use.exchange('helpdesk', '88');
      },
    },
    {
      name: "a workload's exchange, of a new Community token",
      of: ['exchange', 'mint-wfm'],
      run: async () => {
        await use.drop('wfm', 'system');
        await use.exchange('wfm', 'system');
      },
    },
    {
      name: 'the states of a connection',
      of: ['connections'],
      run: async () => void (await use.ask('GET', '/connections/helpdesk')),
    },
    {
      name: 'a try of a login',
      of: ['connections', ...helpmaster],
      run: async () => assert.match(await use.ask('POST', '/connections/helpdesk/try', {}), /"generation":/),
    },
    {
      name: 'tries of the other logins',
      of: ['connections', 'mint-wfm', 'mint-books'],
      run: async () => {
        for (const connection of ['wfm', 'books'] as const) {
          await use.drop(connection, 'system');
          await use.ask('POST', `/connections/${connection}/try`, {});
        }
      },
    },
    {
      name: 'a candidate that becomes current',
      of: ['connections', ...helpmaster],
      run: () => use.tryCandidate('helpdesk'),
    },
    {
      name: 'a candidate of a Community login that becomes current',
      of: ['connections', 'mint-wfm'],
      run: () => use.tryCandidate('wfm'),
    },
  ];
}

/** The steps from states that the owner of the account brings about. */
function probesOfStates(use: Use, owner: Owner, broker: string): readonly Probe[] {
  /** Makes a token due, and forgets that anybody asked for its refresh. */
  async function makeDue(): Promise<void> {
    await use.renew('wfm');
    await sleep(DUE_AFTER_MS);
    await owner.changeSlot('wfm', 'system', { UpdateExpression: 'REMOVE refreshAskedAt' });
  }

  const forgetUse = (subject: string) =>
    owner.changeSlot('helpdesk', subject, { UpdateExpression: 'REMOVE lastHandedOutAt, dueAt' });

  /** Asks for a token in place of one that does not open, while `mint` cannot be invoked: the way is a renewal. */
  async function refuseRenewal(ask: () => Promise<void>): Promise<void> {
    await use.renew('wfm');
    const spoiled = Buffer.alloc(64).toString('base64');
    await owner.changeSlot('wfm', 'system', {
      UpdateExpression: 'SET ct = :spoiled',
      ExpressionAttributeValues: { ':spoiled': { B: spoiled } },
    });
    await owner.withoutExecutions('Mintwfm', ask);
    await use.drop('wfm', 'system');
  }

  return [
    {
      name: 'the note of a use',
      of: ['token'],
      run: async () => {
        await use.token('helpdesk', 'system');
        await forgetUse('system');
        await use.token('helpdesk', 'system');
      },
    },
    {
      name: "the note of a workload's use",
      of: ['exchange'],
      run: async () => {
        await use.exchange('helpdesk', '88');
        await forgetUse('88');
        await use.exchange('helpdesk', '88');
      },
    },
    {
      name: 'a slide that a reader asks for',
      of: ['token', 'mint-wfm'],
      run: async () => {
        await makeDue();
        const { generation } = await use.token('wfm', 'system');
        await until(SLIDES_WITHIN_MS, async () =>
          (await use.token('wfm', 'system')).generation > generation ? true : undefined,
        );
      },
    },
    {
      name: 'a slide that a workload asks for',
      of: ['exchange', 'mint-wfm'],
      run: async () => {
        await makeDue();
        await use.exchange('wfm', 'system');
      },
    },
    {
      name: 'the back-off of a login that was not sent',
      of: ['token'],
      run: () => owner.withoutExecutions('Minthelpdesk', () => use.tokenRefused('helpdesk', use.fresh())),
    },
    {
      name: 'the back-off of a renewal that was not sent',
      of: ['token'],
      run: () => refuseRenewal(() => use.tokenRefused('wfm', 'system')),
    },
    {
      name: "the back-off of a workload's login that was not sent",
      of: ['exchange'],
      run: async () => {
        await use.drop('helpdesk', '42');
        await owner.withoutExecutions('Minthelpdesk', () => use.exchangeRefused('helpdesk', '42'));
      },
    },
    {
      name: "the back-off of a workload's renewal that was not sent",
      of: ['exchange'],
      run: () => refuseRenewal(() => use.exchangeRefused('wfm', 'system')),
    },
    {
      name: 'a refresh token that waits in the table',
      of: ['mint-books'],
      provokes: 'secretsmanager:PutSecretValue',
      run: async () => {
        // One that waits from before must be in the secret before another is asked for.
        await use.renew('books');
        await owner.withoutPuts(`${broker}/books/kept`, () => use.renew('books'));
        await use.renew('books');
      },
    },
    {
      name: 'a sweep of what is due',
      of: ['refresh', 'mint-helpdesk', 'mint-wfm', 'mint-books'],
      run: async () => {
        for (const connection of ['helpdesk', 'wfm', 'books'] as const) {
          await use.token(connection, 'system');
          await owner.changeSlot(connection, 'system', {
            UpdateExpression: 'SET dueAt = :due',
            ExpressionAttributeValues: { ':due': { N: '1' } },
          });
        }
        await owner.run('BrokerRefresh');
      },
    },
    {
      name: 'the end of a back-off by a new secret',
      of: ['rotation', 'connections', 'token', 'mint-helpdesk'],
      run: async () => {
        // Not a wrong credential: logins that are refused stop all others for half an hour, so that no account is locked.
        await use.putAndSettle('helpdesk', { apikey: 'of a field that no provider has' });
        await sleep(COPY_LASTS_MS);
        await use.drop('helpdesk', 'system');
        await assert.rejects(use.token('helpdesk', 'system'), 'a secret without its field brought a token');
        await owner.forgetRotation('helpdesk');
        await use.putAndSettle('helpdesk');
        await use.token('helpdesk', 'system');
      },
    },
  ];
}

/** The steps that Lambda and the schedule take with a role. */
function probesOfLambda(ofUse: readonly Probe[], owner: Owner): readonly Probe[] {
  const logs = Object.entries(FUNCTIONS).map(([of, id]) => ({
    name: `the log of \`${of}\``,
    of: [of],
    about: /^logs:/,
    run: () => owner.checkLog(id, async () => ofUse.find((each) => each.of.includes(of))?.run()),
  }));
  const queued = (['refresh', 'rotation'] as const).map((of) => ({
    name: `what \`${of}\` could not take`,
    of: [of],
    about: /^sqs:/,
    run: () => owner.checkDeadLetters(FUNCTIONS[of]),
  }));
  return [...logs, ...queued, { name: 'a sweep by the schedule', of: ['schedule'], run: owner.awaitSchedule }];
}
