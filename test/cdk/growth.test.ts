import { describe, expect, it } from 'vitest';
import { describeTemplates } from '../../cdk/assembly.ts';
import { type DeployedOptions, declared, deployed, rotating, trustedWorkload } from './deployed.ts';
import { templatesOf } from './whole-template.ts';

type Connections = NonNullable<DeployedOptions['connections']>;
type Declared = Connections[string];

const MANY_MS = 60_000;

/** Declares so many connections with names of a usual length. */
function many(count: number, declare: (n: number) => Declared): Connections {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`connection-${n}`, declare(n)]));
}

const isolated = many(100, () => declared.helpdesk);

/** Resources of the API: every beginning of a path is one. */
function apiResourcesOf(paths: readonly string[]): number {
  return new Set(paths.flatMap((path) => path.split('/').map((_, end, parts) => parts.slice(0, end + 1).join('/'))))
    .size;
}

/** Characters of the policies of each role as IAM counts them, without blanks: inline together, and each managed one. */
function policiesByRole(resources: Readonly<Record<string, Resource>>) {
  const sizes = new Map<string, { inline: number; managed: number[] }>();
  for (const { Type, Properties = {} } of Object.values(resources)) {
    if (Type !== 'AWS::IAM::Policy' && Type !== 'AWS::IAM::ManagedPolicy') continue;
    const characters = JSON.stringify(Properties['PolicyDocument']).length;
    for (const role of Array.isArray(Properties['Roles']) ? Properties['Roles'] : []) {
      const key = JSON.stringify(role);
      const known = sizes.get(key) ?? { inline: 0, managed: [] };
      if (Type === 'AWS::IAM::Policy') known.inline += characters;
      else known.managed.push(characters);
      sizes.set(key, known);
    }
  }
  return sizes;
}

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

describe('a broker of many connections', () => {
  it.each<readonly [string, Connections, DeployedOptions]>([
    ['100 isolated ones with a proxy', isolated, {}],
    ['100 isolated ones with a proxy that are rolled out', isolated, { rollout: 'Canary10Percent5Minutes' }],
    ['300 in 30 groups', many(300, (n) => ({ ...declared.wfm, isolation: `group-${n % 30}` })), {}],
    ['300 in one group', many(300, () => ({ ...declared.wfm, isolation: 'all' })), {}],
    [
      '300 with a proxy in 30 groups, where AWS has raised the quota of the API',
      many(300, (n) => ({ ...declared.helpdesk, isolation: `group-${n % 30}` })),
      { apiResources: 1_000 },
    ],
    [
      '100 whose refresh token rotates, and an exchange for all',
      many(100, () => rotating),
      {
        trust: [{ ...trustedWorkload, connections: Object.keys(isolated) }],
      },
    ],
  ])(
    'of %s fits into its templates, its API and its roles',
    (_, connections, options) => {
      const { app, stack, template } = deployed({ connections, ...options });
      for (const [file, json] of templatesOf(app, stack)) {
        expect(Object.keys(json.Resources).length, file).toBeLessThanOrEqual(500);
        expect(JSON.stringify(json, undefined, 1).length, file).toBeLessThanOrEqual(1_000_000);
        expect(Object.keys(json.Parameters ?? {}).length, file).toBeLessThanOrEqual(200);
        expect(Object.keys(json.Outputs ?? {}).length, file).toBeLessThanOrEqual(200);
      }

      const [api] = Object.values(template.findResources('AWS::ApiGateway::RestApi'));
      const paths = Object.keys(api?.['Properties'].Body.paths);
      expect(apiResourcesOf(paths)).toBeLessThanOrEqual(options.apiResources ?? 300);

      for (const [role, { inline, managed }] of policiesByRole(template.toJSON()['Resources'])) {
        expect(inline, role).toBeLessThanOrEqual(10_240);
        expect(managed.length, role).toBeLessThanOrEqual(10);
        for (const characters of managed) expect(characters, role).toBeLessThanOrEqual(6_144);
      }
      const [key] = Object.values(template.findResources('AWS::KMS::Key'));
      expect(JSON.stringify(key?.['Properties'].KeyPolicy).length).toBeLessThanOrEqual(32_768);
      for (const { Properties } of Object.values(template.findResources('AWS::Logs::QueryDefinition'))) {
        expect(Properties['LogGroupNames'].length).toBeLessThanOrEqual(50);
      }
    },
    MANY_MS,
  );

  it(
    'has a function in the same nested stack whatever other connections there are',
    () => {
      const placesOf = (connections: Connections) => {
        const { app, stack } = deployed({ connections });
        return [...templatesOf(app, stack)].flatMap(([file, { Resources }]) =>
          Object.keys(Resources).map((id) => `${file} ${id}`),
        );
      };
      const few = many(3, () => declared.helpdesk);
      expect(placesOf(isolated)).toEqual(
        expect.arrayContaining(placesOf(few).filter((place) => !/ApiGateway|Deployment/.test(place))),
      );
    },
    MANY_MS,
  );
});

describe('a broker of too many', () => {
  it.each<readonly [string, string, DeployedOptions]>([
    [
      'secrets',
      'Let connections share their functions',
      { connections: many(460, () => ({ ...declared.wfm, isolation: 'all' })) },
    ],
    [
      'proxies',
      'Ask for a higher quota "Resources per API"',
      { connections: many(150, () => ({ ...declared.helpdesk, isolation: 'all' })) },
    ],
  ])(
    '%s is refused at synth, with what to do',
    (_, message, options) => {
      expect(() => deployed(options)).toThrow(message);
    },
    MANY_MS,
  );
});

it('`npm run synth` says how large each template is', () => {
  const { app } = deployed();
  const lines = describeTemplates(app.synth().directory).split('\n');
  expect(lines).toHaveLength(4);
  for (const line of lines.slice(0, 3))
    expect(line).toMatch(/^TokenBroker\w*\.(?:nested\.)?template\.json +\d+ resources +\d+ KB$/);
});
