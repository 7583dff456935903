import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { appInOneModule, jestTest, stackInJavaScript, stackInTypeScript, USES } from './apps.ts';
import { makeFolder, type Project, projectIn } from './project.ts';

const CDK = join(import.meta.dirname, '../../node_modules/aws-cdk/bin/cdk');
/** The processor's time that a synth may take, without the compiler of a TypeScript app. */
const LONGEST_SYNTH_SECONDS = 10;

/** The stock TypeScript app, with all that it brings. The other apps are folders of it, and find its packages. */
let stock: Project;

/** Makes the app that `cdk init` gives in a folder of this name. */
async function stockApp(language: string, folder: string): Promise<Project> {
  const project = await projectIn(folder);
  await project.run('node', CDK, 'init', 'app', '--language', language, '--generate-only');
  return project;
}

beforeAll(async () => {
  stock = await stockApp('typescript', join(await makeFolder(), 'stock'));
  await stock.write({
    'lib/stock-stack.ts': stackInTypeScript('StockStack'),
    'test/stock.test.ts': jestTest('StockStack', 'stock-stack'),
  });
  const { broker, client } = inject('packed');
  await stock.install(broker, client);
});

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: unknown }>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

/** Checks what a synth wrote: the broker, its functions whole, and the grants of both brokers. */
async function expectBroker(output: string): Promise<void> {
  const files = await readdir(output);
  const templates: readonly Template[] = await Promise.all(
    files
      .filter((file) => file.endsWith('.template.json'))
      .map(async (file) => JSON.parse(await readFile(join(output, file), 'utf8'))),
  );
  const resources = templates.flatMap(({ Resources }) => Object.values(Resources));
  const ofType = (type: string) => resources.filter((each) => each.Type === type);
  expect(ofType('AWS::Lambda::Function').length).toBeGreaterThan(6);

  const policies = JSON.stringify(ofType('AWS::IAM::Policy').concat(ofType('AWS::IAM::ManagedPolicy')));
  for (const path of ['GET/tokens/helpdesk/system', 'GET/proxy/helpdesk/88/jobs', 'GET/tokens/crm/system']) {
    expect(policies).toContain(`v1/${path}`);
  }
  expect(policies).toMatch(/a1b2c3d4e5\/v1\/GET\/tokens\/wfm\/system/);
  expect(JSON.stringify(templates.map(({ Outputs }) => Outputs))).toContain(
    'https://a1b2c3d4e5.execute-api.eu-west-1.',
  );

  const assets = files.filter((file) => file.startsWith('asset.'));
  expect(assets.length).toBeGreaterThan(5);
  for (const asset of assets) {
    expect(await readdir(join(output, asset))).toEqual(expect.arrayContaining(['configuration.json', 'index.mjs']));
  }
}

/** Synthesizes, checks what came out, and gives the seconds of the processor's time that it took. */
async function expectSynth({ folder, run }: Project, ...words: readonly string[]): Promise<number> {
  const timed = '"$@" && times';
  const said = await run('bash', '-c', timed, 'timed', 'npx', '--no-install', 'cdk', 'synth', '--quiet', ...words);
  await expectBroker(join(folder, 'cdk.out'));
  // Of this shell, and of what it ran: each in its own code and in the kernel's.
  const [, , user, system] = [...said.matchAll(/(\d+)m([\d.,]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds?.replace(',', '.')),
  );
  return (user ?? Number.NaN) + (system ?? Number.NaN);
}

describe('the construct, installed in', () => {
  it('a stock TypeScript app', async () => {
    await expectSynth(stock);
  });

  it('a stock TypeScript app, under its jest', () => stock.run('npm', 'test'));

  it('a stock JavaScript app', async () => {
    const app = await stockApp('javascript', join(stock.folder, 'javascript'));
    await app.write({ 'lib/javascript-stack.js': stackInJavaScript('JavascriptStack') });
    const seconds = await expectSynth(app);
    process.stdout.write(`synth: ${seconds.toFixed(1)} s of the processor's time\n`);
    expect(seconds).toBeLessThan(LONGEST_SYNTH_SECONDS);
  });

  it('an app of one ES module under tsx, and from another folder', async () => {
    const app = await projectIn(join(stock.folder, 'esm'));
    await app.write({ 'package.json': '{ "type": "module" }', 'app.ts': appInOneModule() });
    await expectSynth(app, '--app', 'npx --no-install tsx app.ts');
    const elsewhere = await projectIn(join(stock.folder, 'elsewhere'));
    await expectSynth(elsewhere, '--app', `npx --no-install tsx ${join(app.folder, 'app.ts')}`);
  });

  it('an older stock app: ts-node, CommonJS, TypeScript 5', async () => {
    const app = await projectIn(join(stock.folder, 'older'));
    const compilerOptions = {
      ...{
        target: 'ES2020',
        module: 'commonjs',
        lib: ['es2020', 'dom'],
        strict: true,
        typeRoots: ['../node_modules/@types'],
      },
      ...{ types: ['node'], declaration: true, experimentalDecorators: true, strictPropertyInitialization: false },
    };
    await app.write({
      'package.json': '{ "private": true }',
      'tsconfig.json': JSON.stringify({ compilerOptions, exclude: ['node_modules', 'cdk.out'] }),
      'app.ts': appInOneModule(),
    });
    await app.install('ts-node@^10.9.2', 'typescript@~5.6.3');
    await expectSynth(app, '--app', 'npx ts-node --prefer-ts-exts app.ts');
    await app.run('npx', '--no-install', 'tsc', '--noEmit', '--skipLibCheck');
  });
});

describe('the types of both packages', () => {
  it.each([
    ['NodeNext, an ES module', 'uses.mts', { module: 'NodeNext' }],
    ['NodeNext, CommonJS', 'uses.cts', { module: 'NodeNext' }],
    ['Node16, an ES module', 'uses.mts', { module: 'Node16' }],
    ['a bundler', 'uses.ts', { module: 'Preserve', moduleResolution: 'Bundler' }],
    ['a bundler, an older module', 'uses.ts', { module: 'ESNext', moduleResolution: 'Bundler' }],
  ])('are right under %s', async (name, file, options) => {
    const project = await projectIn(join(stock.folder, 'types', name.replace(/\W+/g, '-')));
    const compilerOptions = {
      ...{ noEmit: true, strict: true, target: 'ES2022', lib: ['ES2022'], types: ['node'] },
      ...{ typeRoots: ['../../node_modules/@types'], ...options },
    };
    await project.write({
      'package.json': '{}',
      [file]: USES,
      'tsconfig.json': JSON.stringify({ compilerOptions, files: [file] }),
    });
    await project.run('npx', '--no-install', 'tsc');
  });
});
