import { expect, it } from 'vitest';
import { harness } from './harness.ts';

/** How often each metric was counted, from now on. */
function counted({ operators: { telemetry } }: Pick<ReturnType<typeof harness>, 'operators'>) {
  const counts: Record<string, number> = {};
  telemetry.metrics = (dimensions, values) => {
    for (const name of Object.keys(values)) {
      expect(name !== 'CredentialRefused' || dimensions['connection'] === 'helpdesk').toBe(true);
      counts[name] = (counts[name] ?? 0) + 1;
    }
  };
  return counts;
}

it('invariant 5: each look at a refused secret counts as refused, and never as a failure of the upstream', async () => {
  const made = harness();
  const { broker, upstream, advance } = made;
  upstream.rules.accepted.clear();
  const counts = counted(made);
  await broker.refusal();
  expect(counts).toMatchObject({ RefusedLogins: 1, CredentialRefused: 1 });
  for (let look = 0; look < 5; look += 1) {
    await advance({ seconds: 11 });
    await broker.refusal();
  }

  expect(upstream.logins).toHaveLength(1);
  expect(counts).toMatchObject({ RefusedLogins: 1, CredentialRefused: 6 });
  expect(counts['UpstreamFailures']).toBeUndefined();
});

it('stops counting with the version that works', async () => {
  const made = harness();
  const { broker, upstream, advance } = made;
  upstream.rules.accepted.clear();
  const counts = counted(made);
  await broker.refusal();
  upstream.rules.accepted.add('mended');
  broker.rotateSecret('mended');
  await advance({ seconds: 11 });
  await broker.handOut();

  expect(counts).toMatchObject({ CredentialRefused: 1 });
});

it('counts what the upstream itself failed at as a failure of the upstream, and as no refusal', async () => {
  const made = harness();
  const counts = counted(made);
  made.upstream.planned.push('broken');
  await made.broker.refusal();

  expect(counts).toMatchObject({ UpstreamFailures: 1 });
  expect(counts['CredentialRefused']).toBeUndefined();
});
