import { describe, expect, it } from 'vitest';
import { slotFor } from '../../functions/core/slot/slot.ts';
import { BrokerError, type BrokerErrorCode } from '../../functions/core/words/errors.ts';
import { helpdeskConnection, workforceConnection } from '../simulation/connections.ts';
import { intercept } from '../simulation/memory-store.ts';
import { harness } from './harness.ts';
import { proxiedCalls } from './proxied-calls.ts';

interface Told {
  readonly code: BrokerErrorCode;
  /** What its reader must learn: what is concerned, and what to do about it. */
  readonly tells: readonly (string | RegExp)[];
  readonly trouble: () => Promise<BrokerError> | BrokerError;
}

const troubles: Readonly<Record<string, Told>> = {
  'hand-outs of tokens that must not be handed out': {
    code: 'handout_disabled',
    tells: ['wfm', '/proxy/wfm'],
    trouble: () => harness({ connection: workforceConnection({ tokensOverlap: false }) }).broker.refusal(),
  },
  'a min_ttl beyond every token’s life': {
    code: 'min_ttl_unsatisfiable',
    tells: ['helpdesk', '86395 s', /ask for less/i],
    trouble: () => harness().broker.refusal({ minTtlSeconds: 90_000 }),
  },
  'a min_ttl beyond the rest of a token that is not renewed yet': {
    code: 'min_ttl_unsatisfiable',
    tells: ['80000 s', 'refresh_at', /ask for less/i],
    async trouble() {
      const { broker, advance } = harness();
      await broker.handOut();
      await advance({ hours: 10 });
      return broker.refusal({ minTtlSeconds: 80_000 });
    },
  },
  'a rejected token that is too young': {
    code: 'renewal_throttled',
    tells: ['helpdesk', '60 s'],
    async trouble() {
      const { broker } = harness();
      const { token } = await broker.handOut();
      return broker.refusal({ rejected: token.hash });
    },
  },
  'a mint function that failed': {
    code: 'upstream_outcome_unknown',
    tells: ['helpdesk', /its log/i],
    trouble() {
      const { broker, fleet, weather } = harness();
      weather.invoker.crashWithinSteps = 0;
      fleet.planned.push('crash');
      return broker.refusal();
    },
  },
  'a mint function that cannot be invoked': {
    code: 'mint_unavailable',
    tells: ['helpdesk', 'concurrency', 'permissions'],
    trouble() {
      const { broker, fleet } = harness();
      fleet.planned.push('refused');
      return broker.refusal();
    },
  },
  'a credential refused a moment ago': {
    code: 'upstream_credential_rejected',
    tells: ['helpdesk', /secret has a new version/, /deletes/],
    async trouble() {
      const { broker, upstream } = harness();
      upstream.rules.accepted.clear();
      await broker.refusal();
      return broker.refusal();
    },
  },
  'a secret that still has the refused version': {
    code: 'upstream_credential_rejected',
    tells: ['helpdesk', /no new version/, /put the right value into the secret/i],
    async trouble() {
      const { broker, upstream, advance } = harness();
      upstream.rules.accepted.clear();
      await broker.refusal();
      await advance({ seconds: 11 });
      return broker.refusal();
    },
  },
  'an attempt that failed a moment ago': {
    code: 'cooldown',
    tells: ['helpdesk', 'upstream_login_ambiguous', /tried again/],
    async trouble() {
      const { broker, upstream } = harness();
      upstream.planned.push('broken');
      await broker.refusal();
      return broker.refusal();
    },
  },
  'an attempt that goes on and on': {
    code: 'refresh_in_progress',
    tells: ['helpdesk', /ask again/i],
    trouble() {
      const { broker, table, slot, record, time } = harness();
      table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 60_000 } });
      return broker.refusal();
    },
  },
  'a store that takes no token': {
    code: 'store_unavailable',
    tells: [/discarded/, /tried again/],
    async trouble() {
      const { broker, fleet, advance } = harness();
      await broker.handOut();
      await advance({ hours: 25 });
      const store = fleet.instances[0]?.store;
      if (store === undefined) throw new Error('no instance of mint has run');
      intercept(store, 'publish', () => Promise.reject(new BrokerError('store_unavailable', 'It is down.')));
      return broker.refusal();
    },
  },
  'a token that is over at issue': {
    code: 'upstream_token_unusable',
    tells: ['helpdesk', '63 s', 'minTtlSeconds (60)', 'clock', 'expiry'],
    trouble() {
      const { broker, upstream } = harness();
      upstream.rules.lifeSeconds = 64;
      return broker.refusal();
    },
  },
  'a secret that took too long to read': {
    code: 'deadline_exceeded',
    tells: ['helpdesk', /nothing was sent/i],
    trouble() {
      const { broker, weather } = harness();
      weather.latency.least = 2_000;
      weather.latency.most = 2_000;
      return broker.refusal();
    },
  },
  'no subject at all': {
    code: 'invalid_subject',
    tells: ['`system`', 'PKID', '2147483647'],
    trouble: () => thrownBy(() => slotFor(helpdeskConnection(), '007')),
  },
  'a staff member where only the system is served': {
    code: 'subject_not_supported',
    tells: [/^The connection wfm serves `system` only\.$/],
    trouble: () => thrownBy(() => slotFor(workforceConnection(), '88')),
  },
  'the system where only staff is served': {
    code: 'subject_not_supported',
    tells: [/^The connection helpdesk serves staff PKIDs only\.$/],
    trouble: () =>
      thrownBy(() => slotFor(helpdeskConnection({ subjects: { system: false, staff: ['88'] } }), 'system')),
  },
  'a staff member outside the list': {
    code: 'forbidden',
    tells: ['helpdesk', '`subjects.staff`'],
    trouble: () => thrownBy(() => slotFor(helpdeskConnection({ subjects: { system: true, staff: ['88'] } }), '89')),
  },
  'calls of others to an upstream that takes one at a time': {
    code: 'refresh_in_progress',
    tells: [/other calls/i, /ask again/i],
    async trouble() {
      const connection = workforceConnection({ tokensOverlap: false });
      const { call, refusedCall, table, slot, record, time } = proxiedCalls({ connection });
      await call();
      table.set('spoil', slot(), { ...record(), lease: { id: 'another', until: time.now() + 60_000 } });
      return refusedCall();
    },
  },
};

function thrownBy(work: () => unknown): BrokerError {
  try {
    work();
  } catch (error) {
    if (error instanceof BrokerError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('an error tells its reader what is concerned and what to do', () => {
  it.each(Object.entries(troubles))('%s', async (_what, { code, tells, trouble }) => {
    const error = await trouble();

    expect(error.code).toBe(code);
    expect(error.message).toContain(error.detail);
    for (const told of tells) {
      if (typeof told === 'string') expect(error.detail).toContain(told);
      else expect(error.detail).toMatch(told);
    }
  });
});
