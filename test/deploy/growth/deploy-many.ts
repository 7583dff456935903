import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { assemblyOf, findNestedTemplates } from '../../../cdk/assembly.ts';
import { demoCommunitySecret } from '../../../local/demo/community-knobs.ts';
import { demoHelpmasterSecret } from '../../../local/demo/helpmaster-knobs.ts';
import { createCaller } from '../aws-calls.ts';
import { createDeployment, ROOT } from '../deployment.ts';
import { handedOutIn } from '../handed-out.ts';
import { createAdministrator } from '../identities.ts';
import { aws, type Place, readResources, urlOf } from '../place.ts';
import type { Report } from '../report.ts';
import { putSecret } from '../rights/use.ts';
import { writeDeclaration } from '../upstreams.ts';
import { describeShape, type Measured, type Shape, type TemplateSize } from './page.ts';

const STACK = 'TokenBroker';
/** What CloudFormation takes in one template. */
const MOST_RESOURCES = 500;
const MOST_BYTES = 1_000_000;

/** Deploys a broker of many connections by the document's steps, has the first and the last hand out, and destroys it. */
export async function deployMany(report: Report, place: Place, shape: Shape): Promise<Measured> {
  const administrator = await createAdministrator(place, 'deployer');
  const declared = declareMany(place, shape);
  const TOKEN_BROKER_CONNECTIONS = writeDeclaration(place, 'many', { connections: declared });
  const environment = { ...administrator, TOKEN_BROKER_CONNECTIONS };
  const deployment = createDeployment(environment);
  const seconds: [step: string, seconds: number][] = [];

  async function time<T>(step: string, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await report.step(step, work);
    seconds.push([step, (performance.now() - begun) / 1000]);
    return result;
  }

  report.note(describeShape(shape));
  await report.step('cdk bootstrap', () => deployment.run('bootstrap'));
  await time('npm run deploy', () => deployment.run('deploy'));
  const templates = readTemplates();
  const deployed = await report.step('All of it is there, and each template has room', async () => {
    for (const { name, resources, bytes } of templates)
      assert.ok(resources <= MOST_RESOURCES && bytes <= MOST_BYTES, `${name}: ${resources} resources, ${bytes} bytes`);
    const { length } = await readResources(environment, STACK);
    const synthesized = templates.reduce((sum, { resources }) => sum + resources, 0);
    assert.equal(length, synthesized);
    return length;
  });

  const call = createCaller(await urlOf(environment, STACK), environment);
  const names = Object.keys(declared);
  for (const name of [names[0] ?? '', names.at(-1) ?? '']) {
    await putSecret(environment, `token-broker/${name}`, shape.groups ? demoCommunitySecret : demoHelpmasterSecret);
    await time(`a first token of ${name}`, async () => {
      const { status, body } = await call('GET', `/tokens/${name}/system`);
      assert.equal(status, 200, body);
      assert.equal(handedOutIn(body).generation, 1);
    });
    if (shape.groups !== undefined) continue;
    await time(`a first proxied call of ${name}`, async () => {
      const { status, headers, body } = await call('GET', `/proxy/${name}/system/files/1`);
      assert.equal(status, 200, body);
      assert.equal(headers.get('token-broker-upstream'), name);
    });
  }
  await time('aws cloudformation delete-stack', () => deployment.run('destroy'));
  const left = await aws(environment, 'lambda', 'list-functions', '--query', 'length(Functions)');
  assert.equal(Number(left), 0, 'functions are left');
  return { shape, templates, deployed, seconds };
}

/** Declares the connections, on the demo upstreams: isolated ones with a proxy, or groups that have none. */
function declareMany({ demo }: Place, { connections, groups }: Shape): Readonly<Record<string, object>> {
  const declare = (index: number) =>
    groups === undefined
      ? { provider: 'helpmaster', baseUrl: demo.helpmaster.baseUrl, proxy: {} }
      : { provider: 'community-web-api', baseUrl: demo.community.baseUrl, isolation: `group-${(index % groups) + 1}` };
  return Object.fromEntries(
    Array.from({ length: connections }, (_, index) => [`connection-${index + 1}`, declare(index)]),
  );
}

/** Reads the sizes of the templates that were deployed last. */
function readTemplates(): readonly TemplateSize[] {
  const assembly = assemblyOf(ROOT);
  return [join(assembly, `${STACK}.template.json`), ...findNestedTemplates(assembly)].map((file) => {
    const text = readFileSync(file);
    const { Resources }: { readonly Resources: object } = JSON.parse(text.toString('utf8'));
    const name = basename(file).replace(/(?:\.nested)?\.template\.json$/, '');
    return { name, resources: Object.keys(Resources).length, bytes: text.length };
  });
}
