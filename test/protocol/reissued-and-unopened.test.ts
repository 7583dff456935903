import { describe, expect, it } from 'vitest';
import { createHandOut } from '../../functions/core/hand-out/hand-out.ts';
import { createTokenMemory } from '../../functions/core/hand-out/memory.ts';
import { SYSTEM } from '../../functions/core/slot/slot.ts';
import { helpdeskConnection } from '../simulation/connections.ts';
import type { IssuedToken } from '../simulation/upstream-accounts.ts';
import { harness } from './harness.ts';

describe('an upstream that issues the same token again', () => {
  /** Whose every login after the first gives what the first gave. */
  function reissuing(renewalCooldownSeconds: number) {
    const made = harness({ connection: helpdeskConnection({ renewalCooldownSeconds }) });
    const accounts = made.world.upstreams.get(made.connection.name);
    const login = accounts?.login;
    let first: IssuedToken | undefined;
    if (accounts !== undefined && login !== undefined) {
      Object.assign(accounts, {
        login(subject: string, credential: string) {
          const verdict = login(subject, credential);
          if (!('issued' in verdict)) return verdict;
          first ??= verdict.issued;
          return { issued: { ...verdict.issued, value: first.value, hash: first.hash } };
        },
      });
    }
    return made;
  }

  it('is asked once for one report that its token is dead, and that is handed out (invariants 4 and 16)', async () => {
    const { broker, upstream, advance } = reissuing(0);
    const { token } = await broker.handOut();
    await advance({ minutes: 2 });

    const after = await broker.handOut({ rejected: token.hash });

    expect(upstream.logins).toHaveLength(2);
    expect(after).toMatchObject({ source: 'login', token: { hash: token.hash, generation: 2 } });
  });

  it('is asked once for a hundred such reports, and then not before the cooldown is over', async () => {
    const { broker, upstream, advance } = reissuing(60);
    const { token } = await broker.handOut();
    await advance({ minutes: 2 });

    await broker.together(Array.from({ length: 100 }, () => ({ rejected: token.hash })));
    const again = await broker.refusal({ rejected: token.hash });

    expect(upstream.logins).toHaveLength(2);
    expect(again.code).toBe('renewal_throttled');
  });
});

describe('a function that cannot open what mint publishes', () => {
  /** As in the middle of a deployment that renames the broker. */
  function misnamed() {
    const made = harness();
    const { operators, fleet, connection, slot } = made;
    const handOut = createHandOut({
      ...operators,
      broker: 'of-another-name',
      memory: createTokenMemory(),
      minter: fleet.invokerFor(operators.process),
      audit: { handOut: async () => undefined },
    });
    const refusal = async () => {
      const deadline = operators.clock.monotonic() + 23_000;
      const asked = handOut({ connection, slot: slot(SYSTEM), caller: 'caller', requestId: 'request', deadline });
      return made.time.settle(asked.catch((error: unknown) => error));
    };
    return { ...made, refusal };
  }

  it('causes one login and a back-off, says what is wrong, and leaves the token to those who can open it', async () => {
    const { refusal, upstream, broker, record } = misnamed();

    expect(await refusal()).toMatchObject({ code: 'kms_unavailable', retryAfterMs: expect.any(Number) });
    expect(upstream.logins).toHaveLength(1);
    expect(record().lease).toBeUndefined();
    const { token } = await broker.handOut();
    expect(token.generation).toBe(1);
  });

  it('causes no more than a login each back-off, however often it is asked', async () => {
    const { refusal, upstream, advance } = misnamed();
    await refusal();
    for (let request = 0; request < 100; request += 1) {
      await advance({ ms: 100 });
      expect(await refusal()).toMatchObject({ code: 'cooldown', detail: expect.stringContaining('kms_unavailable') });
    }

    expect(upstream.logins).toHaveLength(1);
  });
});
