import type { Audit } from '../../functions/core/hand-out/audit.ts';
import type { Upstream } from '../../functions/core/mint/upstream.ts';
import type { SlotChange } from '../../functions/core/slot/changes.ts';
import { isOpen, NO_LOGINS } from '../../functions/core/slot/logins.ts';
import type { SlotRecord } from '../../functions/core/slot/record.ts';
import type { Slot } from '../../functions/core/slot/slot.ts';
import { Secret } from '../../functions/core/words/secret.ts';
import type { MemoryStore } from './memory-store.ts';

/** Ways to put a broken port in the place of a good one, so that a test sees what comes of it. */
export interface Sabotage {
  readonly store?: (store: MemoryStore) => MemoryStore;
  readonly audit?: (audit: Audit) => Audit;
  readonly upstream?: (upstream: Upstream) => Upstream;
}

/** A broker that breaks one of its rules by a port that does, and the invariants that must be seen to break. */
export interface BrokenBroker {
  readonly name: string;
  readonly breaks: readonly string[];
  readonly sabotage: Sabotage;
}

/** Brokers that are broken without a change of their code. */
export const brokenBrokers: readonly BrokenBroker[] = [
  {
    name: 'believes that tokens live an hour longer than they do',
    breaks: ['1'],
    sabotage: {
      upstream: (upstream) => ({
        ...upstream,
        async login(attempt) {
          const outcome = await upstream.login(attempt);
          if (outcome.kind !== 'token') return outcome;
          const { exp, seconds } = outcome.life;
          const longer = {
            ...(exp === undefined ? {} : { exp: exp + 3_600_000 }),
            ...(seconds === undefined ? {} : { seconds: seconds + 3_600 }),
          };
          return { ...outcome, life: { ...outcome.life, ...longer } };
        },
      }),
    },
  },
  {
    name: 'takes leases that others hold',
    breaks: ['3'],
    sabotage: {
      store: (store) => changingWrites(store, { acquire: (claim) => ({ ...claim, onlyIf: [] }) }),
    },
  },
  {
    name: 'has a renewal that failed hold back logins',
    breaks: ['23'],
    sabotage: {
      store: (store) =>
        changingWrites(store, {
          fail: (failure) => {
            const { renewalNotBefore } = failure.set ?? {};
            if (renewalNotBefore === undefined) return failure;
            return { ...failure, set: { ...failure.set, notBefore: renewalNotBefore } };
          },
        }),
    },
  },
  {
    name: 'forgets which version was refused',
    breaks: ['5'],
    sabotage: {
      store: (store) => ({
        ...changingReads(store, ({ refusedVersion: _, ...rest }) => rest),
        logins: async (name) => {
          const logins = await store.logins(name);
          return logins && { ...NO_LOGINS, revision: logins.revision };
        },
      }),
    },
  },
  {
    name: 'asks nobody for leave to log in',
    breaks: ['21', '22', '24'],
    sabotage: {
      store: (store) => ({
        ...changingReads(store, ({ refusedVersion: _, ...rest }) => ({ ...rest, notBefore: 0 })),
        logins: async () => undefined,
        writeLogins: async () => true,
      }),
    },
  },
  {
    name: 'sees no open breaker',
    breaks: ['28'],
    sabotage: {
      store: (store) => ({
        ...store,
        logins: async (name) => {
          const logins = await store.logins(name);
          return logins !== undefined && isOpen(logins) ? { ...logins, timedOut: undefined } : logins;
        },
      }),
    },
  },
  {
    name: 'waits without a permit',
    breaks: ['30'],
    sabotage: { store: (store) => ({ ...store, writePermit: async () => true }) },
  },
  {
    name: 'leaves the upstream alone for no longer than a lease',
    breaks: ['6'],
    sabotage: {
      store: (store) =>
        changingWrites(store, {
          acquire: ({ set, ...claim }) => ({ ...claim, set: { ...set, notBefore: set?.lease?.until } }),
          fail: ({ set, ...failure }) => ({ ...failure, set: { ...set, notBefore: (set?.failure?.at ?? 0) + 1 } }),
        }),
    },
  },
  {
    name: 'writes no back-off with its leases',
    breaks: ['6'],
    sabotage: {
      store: (store) =>
        changingWrites(store, { acquire: ({ set, ...claim }) => ({ ...claim, set: { ...set, notBefore: 0 } }) }),
    },
  },
  {
    name: 'publishes under whatever lease there is',
    breaks: ['7'],
    sabotage: {
      store: (store) => ({
        ...store,
        async write(slot, change) {
          const record = await store.read(slot, { consistent: true });
          if (change.name !== 'publish' || record?.lease === undefined) return store.write(slot, change);
          return store.write(slot, {
            ...change,
            onlyIf: [],
            set: { ...change.set, generation: record.generation + 1 },
          });
        },
      }),
    },
  },
  {
    name: 'stores tokens that nobody issued',
    breaks: ['17'],
    sabotage: {
      upstream: (upstream) => ({
        ...upstream,
        async login(attempt) {
          const outcome = await upstream.login(attempt);
          return outcome.kind === 'token' ? { ...outcome, value: new Secret('made-up') } : outcome;
        },
      }),
    },
  },
  {
    name: 'gives everybody the token of whoever came first',
    breaks: ['8', '17'],
    sabotage: {
      upstream: (upstream) => {
        let first: Secret<string> | undefined;
        return {
          ...upstream,
          async login(attempt) {
            const outcome = await upstream.login(attempt);
            if (outcome.kind !== 'token') return outcome;
            first ??= outcome.value;
            return { ...outcome, value: first };
          },
        };
      },
    },
  },
  { name: 'records nothing', breaks: ['10'], sabotage: { audit: () => ({ handOut() {} }) } },
  {
    name: 'sees no tokens in the table',
    breaks: ['11'],
    sabotage: { store: (store) => changingReads(store, ({ token: _, ...rest }) => rest) },
  },
  {
    name: 'meets something unforeseen',
    breaks: ['14'],
    sabotage: {
      store: (store) => answeringWrites(store, 'recordUse', () => Promise.reject(new Error('Nobody thought of this.'))),
    },
  },
  {
    name: 'believes that every token is due',
    breaks: ['4'],
    sabotage: {
      store: (store) =>
        changingReads(store, ({ token, ...rest }) =>
          token === undefined ? rest : { ...rest, token: { ...token, refreshAt: 0 } },
        ),
    },
  },
  {
    name: 'forgets that a token was reported dead',
    breaks: ['16'],
    sabotage: {
      store: (store) =>
        changingWrites(
          changingReads(store, (record) => ({ ...record, rejectedGeneration: 0 })),
          {
            acquire: ({ onlyIf, ...claim }) => ({
              ...claim,
              onlyIf: onlyIf.filter((each) => !('field' in each && each.field === 'rejectedGeneration')),
            }),
          },
        ),
    },
  },
  {
    name: 'lets exclusive calls begin without a lease',
    breaks: ['C18'],
    sabotage: { store: (store) => answeringWrites(store, 'beginCall', async () => true) },
  },
  {
    name: 'logs out of what it has just logged in to',
    breaks: ['27'],
    sabotage: {
      upstream: (upstream) => ({
        ...upstream,
        async login(attempt) {
          const outcome = await upstream.login(attempt);
          if (outcome.kind !== 'token') return outcome;
          const held = { token: outcome.value, values: {}, closed: undefined, secret: undefined };
          await upstream.logout({ ...attempt, ...held });
          return outcome;
        },
      }),
    },
  },
  {
    name: 'makes a candidate current that the upstream does not take',
    breaks: ['31'],
    sabotage: {
      upstream: (upstream) => ({
        ...upstream,
        async login(attempt) {
          const outcome = await upstream.login(attempt);
          const isRefused = outcome.kind === 'failure' && outcome.backOff === 'refused';
          if (!isRefused || attempt.onTrial === undefined) return outcome;
          // It ends far from any clock.
          return { kind: 'token', value: new Secret('made up'), life: { seconds: 3_600 }, requestStartedAt: 2 ** 42 };
        },
      }),
    },
  },
  {
    name: 'logs out without a lease',
    breaks: ['3'],
    sabotage: { store: (store) => answeringWrites(store, 'borrow', async () => true) },
  },
  {
    name: 'never publishes what it was given',
    breaks: ['18'],
    sabotage: { store: (store) => answeringWrites(store, 'publish', async () => false) },
  },
];

function changingReads(store: MemoryStore, change: (record: SlotRecord) => SlotRecord): MemoryStore {
  const changed = (record: SlotRecord | undefined) => record && change(record);
  return {
    ...store,
    read: async (slot: Slot, options) => changed(await store.read(slot, options)),
    writeAndRead: async (slot, change) => changed(await store.writeAndRead(slot, change)),
  };
}

function changingWrites(
  store: MemoryStore,
  how: { readonly [name: string]: (change: SlotChange) => SlotChange },
): MemoryStore {
  return { ...store, write: (slot, change) => store.write(slot, how[change.name]?.(change) ?? change) };
}

function answeringWrites(store: MemoryStore, name: string, answer: () => Promise<boolean>): MemoryStore {
  return { ...store, write: (slot, change) => (change.name === name ? answer() : store.write(slot, change)) };
}
