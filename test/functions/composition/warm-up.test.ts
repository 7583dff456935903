import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { warmUp } from '../../../functions/composition/warm-up.ts';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { EMPTY_RECORD, type SlotRecord } from '../../../functions/core/slot/record.ts';
import type { Slot } from '../../../functions/core/slot/slot.ts';

const { connections } = resolveConnections({
  connections: {
    staffed: { provider: 'helpmaster', baseUrl: 'https://a.example', subjects: { system: false, staff: true } },
    helpdesk: { provider: 'helpmaster', baseUrl: 'https://b.example' },
  },
});
const dataKey = new Uint8Array([7]);
const withToken: SlotRecord = {
  ...EMPTY_RECORD,
  token: {
    ciphertext: new Uint8Array(),
    dataKey,
    issuedAt: 0,
    usableUntil: 0,
    refreshAt: 0,
    sessionStartedAt: 0,
    secretVersion: 'v',
    hash: 'h',
    publicationId: 'p',
  },
};

function ports(read: () => Promise<SlotRecord | undefined>) {
  const asked: { slot?: Slot; connection?: string; encrypted?: Uint8Array }[] = [];
  return {
    asked,
    store: {
      read: async (slot: Slot) => {
        asked.push({ slot });
        return read();
      },
    },
    keys: {
      decrypt: async (connection: string, encrypted: Uint8Array) => {
        asked.push({ connection, encrypted });
        return undefined;
      },
    },
  };
}

describe('warming up', () => {
  it('reads one slot that is served and decrypts its data key, so that the first request finds both done', async () => {
    const { asked, ...used } = ports(async () => withToken);
    await warmUp({ connections, ...used });

    const slot = { connection: 'helpdesk', subject: 'system', fingerprint: connections['helpdesk']?.fingerprint };
    expect(asked).toEqual([{ slot }, { connection: 'helpdesk', encrypted: dataKey }]);
  });

  it('asks KMS nothing about a slot without a token', async () => {
    const { asked, ...used } = ports(async () => EMPTY_RECORD);
    await warmUp({ connections, ...used });

    expect(asked).toHaveLength(1);
  });

  it('asks KMS nothing where the function opens no data keys of the connection', async () => {
    const { asked, ...used } = ports(async () => withToken);
    await warmUp({ connections, ...used, isOpened: ({ name }) => name !== 'helpdesk' });

    expect(asked).toHaveLength(1);
  });

  it.each(['up', 'down'])('reads the secret of that connection beside it, where the store is %s', async (store) => {
    const { asked, ...used } = ports(() => (store === 'up' ? Promise.resolve(withToken) : Promise.reject(new Error())));
    const secrets = vi.fn(() => Promise.reject(new Error('It has no value.')));
    await expect(warmUp({ connections, ...used, secrets: { current: secrets } })).resolves.toBeUndefined();

    expect(secrets.mock.calls).toEqual([[{ secret: connections['helpdesk']?.secret, maxAgeMs: 0 }]]);
    expect(asked).toHaveLength(store === 'up' ? 2 : 1);
  });

  it('leaves a store that is down to the first request', async () => {
    const { asked, ...used } = ports(() => Promise.reject(new Error('down')));
    await expect(warmUp({ connections, ...used })).resolves.toBeUndefined();

    expect(asked).toHaveLength(1);
  });

  it('does not wait for a store that never answers', async () => {
    const { asked, ...used } = ports(() => new Promise(() => undefined));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const warm = warmUp({ connections, ...used });
    vi.advanceTimersByTime(1_500);
    expect(await warm).toBeUndefined();

    expect(asked).toHaveLength(1);
  });

  it('does nothing where nothing is declared', async () => {
    const { asked, ...used } = ports(async () => withToken);
    await warmUp({ connections: {}, ...used });

    expect(asked).toEqual([]);
  });
});
