import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createCaller } from '../aws-calls.ts';
import { ROOT } from '../deployment.ts';
import { execute } from '../execute.ts';
import { GRANTED_BROKER, PATH } from '../granted-roles.ts';
import { assumeRole } from '../identities.ts';
import { type Environment, type Place, REGION, readResources, urlOf } from '../place.ts';
import type { Report } from '../report.ts';
import { createProbes, type Probe } from '../rights/probes.ts';
import { followRefusals } from '../rights/take-away.ts';
import { until, writeEveryKind } from '../upstreams.ts';

const APP = join(ROOT, 'test/deploy/granted-app.ts');
const TOKEN_WITHIN_MS = 40_000;

/** The broker of `granted-app.ts`, deployed. */
export interface GrantedBroker {
  readonly stack: string;
  readonly url: string;
  readonly secrets: readonly string[];
  readonly probes: readonly Probe[];
  destroy(): Promise<void>;
}

/** Deploys the app with roles and grants; its broker has a connection of each kind, each with its credential. */
export async function deployGranted(place: Place, administrator: Environment): Promise<GrantedBroker> {
  const stack = `TokenBroker-${GRANTED_BROKER}`;
  const environment = {
    ...administrator,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    TOKEN_BROKER_CONNECTIONS: writeEveryKind(place),
  };

  async function cdk(...words: readonly string[]): Promise<void> {
    const app = ['--app', `node ${APP}`, '--output', join(place.scratch, GRANTED_BROKER)];
    const { code, output } = await execute('cdk', [...words, ...app], { cwd: ROOT, env: environment });
    assert.equal(code, 0, output);
  }

  await cdk('deploy', '--require-approval', 'never');
  const url = await urlOf(environment, stack);
  const resources = await readResources(environment, stack);
  const caller = await assumeRole(administrator, `${PATH.slice(1)}named-broad`);
  const { probes, prepare } = createProbes(place, { name: GRANTED_BROKER, url, caller, administrator, resources });
  await prepare();
  const call = createCaller(url, caller);
  await until(TOKEN_WITHIN_MS, async () => {
    const { status } = await call('GET', '/tokens/helpdesk/system');
    return status === 200 ? true : undefined;
  });
  return {
    stack,
    url,
    secrets: ['helpdesk', 'wfm', 'books', 'books/kept'].map((name) => `${GRANTED_BROKER}/${name}`),
    probes,
    destroy: () => cdk('destroy', '--force'),
  };
}

/** Runs the steps of use, and checks that no function was refused anything that it asked for. */
export async function checkOwnRights(report: Report, { logFile }: Place, probes: readonly Probe[]): Promise<void> {
  for (const probe of probes) {
    await report.step(`With no rights but their own the functions do: ${probe.name}`, async () => {
      const refusals = followRefusals(logFile);
      await probe.run();
      assert.deepEqual(refusals.read(probe), []);
    });
  }
}
