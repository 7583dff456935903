import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOP_FOLDERS = ['cdk', 'functions', 'client', 'local', 'packages', 'bench', 'test'];
const LONGEST_FILE_LINES = 350;

/** The imports that the files of a room may have: other places, by prefix, and packages, by name or prefix. */
interface Room {
  readonly room: RegExp;
  readonly places: readonly string[];
  readonly packages: readonly string[];
}

const SHARED_BY_FUNCTIONS = ['core', 'http', 'providers', 'adapters', 'configuration', 'composition', 'api'];
const inFunctions = (...rooms: readonly string[]) => rooms.map((room) => `functions/${room}/`);
const inCore = (...rooms: readonly string[]) => rooms.map((room) => `functions/core/${room}/`);

/** The arrows of the house, the first that matches a file; what is listed nowhere is allowed nowhere. */
const house: readonly Room[] = [
  { room: /^functions\/core\/words\//, places: inCore('words'), packages: [] },
  { room: /^functions\/core\/slot\//, places: inCore('slot', 'words'), packages: [] },
  { room: /^functions\/core\/(mint|hand-out|operate)\//, places: inCore('$1', 'slot', 'words'), packages: [] },
  {
    room: /^functions\/core\/proxy\//,
    places: [...inCore('proxy', 'hand-out', 'slot', 'words'), 'functions/core/mint/upstream.ts'],
    packages: [],
  },
  { room: /^functions\/http\//, places: ['functions/http/', ...inCore('words')], packages: [] },
  {
    room: /^functions\/providers\/engine\//,
    places: [
      ...inFunctions('providers', 'http'),
      ...inCore('slot', 'words'),
      'functions/core/mint/upstream.ts',
      'functions/core/proxy/forwarder.ts',
    ],
    packages: ['fast-xml-parser', 'jose', 'set-cookie-parser'],
  },
  {
    room: /^functions\/providers\/(?:names|provider|registry)\.ts$/,
    places: ['functions/providers/', ...inCore('slot', 'words')],
    packages: [],
  },
  { room: /^functions\/providers\//, places: ['functions/providers/provider.ts'], packages: [] },
  {
    room: /^functions\/adapters\//,
    places: [
      ...inFunctions('adapters'),
      ...inCore('slot', 'words'),
      ...['functions/core/mint/secrets.ts', 'functions/core/hand-out/audit.ts'],
      'functions/http/user-agent.ts',
    ],
    packages: ['@aws-sdk/', '@smithy/'],
  },
  {
    room: /^functions\/configuration\//,
    places: [
      ...inFunctions('configuration'),
      ...inCore('slot', 'words'),
      'functions/providers/names.ts',
      'functions/providers/registry.ts',
      'functions/http/refused-address.ts',
      'functions/http/forwarded-headers.ts',
    ],
    packages: ['zod'],
  },
  {
    room: /^functions\/composition\//,
    places: inFunctions('core', 'http', 'providers', 'adapters', 'configuration', 'composition'),
    packages: [],
  },
  { room: /^functions\/api\//, places: inFunctions('core', 'api'), packages: ['@middy/core', 'aws-lambda'] },
  { room: /^functions\/canary\//, places: ['client/', ...inFunctions('canary', ...SHARED_BY_FUNCTIONS)], packages: [] },
  {
    // A folder a Lambda: all that is shared, and nothing of another Lambda's.
    room: /^functions\/(?!core\/)([a-z-]+)\//,
    places: [...inFunctions(...SHARED_BY_FUNCTIONS), 'functions/$1/'],
    packages: ['aws-lambda', 'zod', 'jose'],
  },
  // Each fits the client to a library that its callers have chosen.
  { room: /^client\/adapters\//, places: ['client/'], packages: ['axios', 'openapi-fetch', 'undici', 'ky', 'got'] },
  { room: /^client\/.*\/trust-check/, places: ['client/', ...inFunctions('configuration', 'exchange')], packages: [] },
  { room: /^client\//, places: ['client/'], packages: ['@aws-sdk/', '@smithy/', 'zod'] },
  {
    // Names, types and tables of constants: nothing that runs in a function. Policies follow from the changes of a slot.
    room: /^cdk\//,
    places: [
      'cdk/',
      'functions/configuration/',
      'functions/composition/environment.ts',
      ...['client/cli/command.ts', 'client/cli/doctor/caller-identity.ts'],
      ...['functions/api/gateway-responses.ts', 'functions/api/routes.ts'],
      ...['change-request', 'connection-items', 'item', 'table', 'audit-table'].map(
        (file) => `functions/adapters/dynamodb/${file}.ts`,
      ),
      ...['candidate', 'changes', 'connection', 'logins', 'permit', 'provider', 'record', 'slot'].map(
        (file) => `functions/core/slot/${file}.ts`,
      ),
      'functions/core/words/errors.ts',
    ],
    packages: ['aws-cdk-lib', 'constructs', 'cdk-nag', 'esbuild', '@aws-cdk/', '@aws-sdk/client-cloudformation'],
  },
  {
    room: /^local\//,
    places: ['local/', 'functions/', 'client/', 'cdk/deploy.ts'],
    packages: ['@aws-sdk/', '@smithy/', 'aws-lambda', 'dynalite', 'jose', 'swagger-ui-dist', 'zod', 'esbuild'],
  },
  { room: /^packages\//, places: [''], packages: ['esbuild', 'zod'] },
  {
    room: /^bench\//,
    places: ['bench/', 'functions/', 'client/', 'local/', 'packages/', 'cdk/bundle.ts'],
    packages: [''],
  },
  { room: /^test\//, places: [''], packages: [''] },
];

interface Source {
  /** The path from the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const IMPORT = /(?:^|[\n;])\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g;
const BARE_IMPORT = /(?:^|[\n;])\s*import\s*['"]([^'"]+)['"]/g;
const DYNAMIC_IMPORT = /\bimport\(\s*['"`]([^'"`]+)['"`]/g;

/** Lists the imports of a source: relative ones as paths from the root, others as written. */
function importsOf(path: string, text: string): readonly string[] {
  const found = [IMPORT, BARE_IMPORT, DYNAMIC_IMPORT].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, specifier = '']) => specifier),
  );
  return found.map((specifier) => (specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier));
}

function readSources(): readonly Source[] {
  return TOP_FOLDERS.flatMap((top) => filesIn(top)).map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, text, imports: importsOf(path, text) };
  });
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesIn(path);
      return /\.[cm]?tsx?$/.test(entry.name) ? [path] : [];
    })
    .sort();
}

function isPlace(imported: string): boolean {
  return TOP_FOLDERS.some((top) => imported.startsWith(`${top}/`));
}

function arrowsOf(pairs: readonly (readonly [from: string, to: string])[]): ReadonlyMap<string, ReadonlySet<string>> {
  const arrows = new Map<string, Set<string>>();
  for (const [from, to] of pairs) arrows.set(from, (arrows.get(from) ?? new Set()).add(to));
  return arrows;
}

/**
 * Files that import one another in a circle; empty where there are none. Takes away whatever imports, or is imported by,
 * nothing that is left, until nothing changes: what remains is in a circle, or between two.
 */
function circleIn(arrows: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  let left = new Set(arrows.keys());
  for (;;) {
    const targets = new Set([...left].flatMap((from) => [...(arrows.get(from) ?? [])]));
    const leads = (from: string) => [...(arrows.get(from) ?? [])].some((to) => left.has(to));
    const next = new Set([...left].filter((file) => targets.has(file) && leads(file)));
    if (next.size === left.size) return [...left].sort();
    left = next;
  }
}

/** Says why a file may not import something; undefined where it may. */
function offence(path: string, imported: string): string | undefined {
  const room = house.find((each) => each.room.test(path));
  if (room === undefined) return `${path} is in no room of the house`;
  if (imported.startsWith('node:')) return undefined;
  const inHouse = isPlace(imported);
  const [, own = ''] = room.room.exec(path) ?? [];
  const allowed = inHouse ? room.places.map((place) => place.replace('$1', own)) : room.packages;
  const isAllowed = allowed.some((prefix) =>
    inHouse || prefix === '' || prefix.endsWith('/')
      ? imported.startsWith(prefix)
      : imported === prefix || imported.startsWith(`${prefix}/`),
  );
  return isAllowed ? undefined : `${path} imports ${imported}`;
}

/** The room of a path: a folder of `core`, another folder of `functions`, else the top folder. */
function roomOf(path: string): string {
  const [top = '', second = '', third = ''] = path.split('/');
  if (top !== 'functions') return top;
  return second === 'core' ? `${top}/${second}/${third}` : `${top}/${second}`;
}

/** Every cycle, each written once. */
function cyclesIn(arrows: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const cycles = new Set<string>();
  const walk = (room: string, way: readonly string[]): void => {
    const at = way.indexOf(room);
    if (at >= 0) {
      const cycle = way.slice(at);
      const first = cycle.indexOf(cycle.toSorted()[0] ?? '');
      const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
      cycles.add([...turned, turned[0]].join(' → '));
      return;
    }
    for (const next of arrows.get(room) ?? []) walk(next, [...way, room]);
  };
  for (const room of arrows.keys()) walk(room, []);
  return [...cycles].sort();
}

const sources = readSources();
const coreSources = sources.filter(({ path }) => path.startsWith('functions/core/'));

describe('imports', () => {
  it('stay within the declared places and packages', () => {
    const offences = sources.flatMap(({ path, imports }) => imports.map((imported) => offence(path, imported)));
    expect(offences.filter((each) => each !== undefined)).toEqual([]);
  });

  it('make no cycle between rooms', () => {
    const between = sources.flatMap(({ path, imports }) =>
      imports
        .filter((imported) => isPlace(imported) && roomOf(imported) !== roomOf(path))
        .map((imported) => [roomOf(path), roomOf(imported)] as const),
    );
    expect(cyclesIn(arrowsOf(between))).toEqual([]);
  });

  it('make no circle between files', () => {
    const between = sources.flatMap(({ path, imports }) =>
      imports.filter(isPlace).map((imported) => [path, imported] as const),
    );
    expect(circleIn(arrowsOf(between))).toEqual([]);
  });

  it('are found by this test: it reads files, and reports an offence', () => {
    expect(sources.length).toBeGreaterThan(100);
    const text = `import {\n  a,\n} from '../adapters/x.ts';\nexport * from "./y.ts";\nimport 'zod';\nawait import('node:http');`;
    expect(importsOf('functions/core/slot/a.ts', text)).toEqual([
      'functions/core/adapters/x.ts',
      'functions/core/slot/y.ts',
      'zod',
      'node:http',
    ]);
    for (const [path, imported] of [
      ['functions/core/slot/a.ts', 'functions/adapters/x.ts'],
      ['functions/core/slot/a.ts', 'functions/core/mint/x.ts'],
      ['functions/core/mint/a.ts', 'functions/core/hand-out/x.ts'],
      ['functions/core/slot/a.ts', 'zod'],
      ['functions/token/a.ts', 'functions/mint/b.ts'],
      ['functions/token/a.ts', 'local/system.ts'],
      ['client/a.ts', 'functions/core/words/errors.ts'],
      ['client/a.ts', 'local/system.ts'],
      ['cdk/a.ts', 'functions/core/mint/mint.ts'],
      ['local/a.ts', 'cdk/app.ts'],
    ] as const)
      expect(offence(path, imported)).toBe(`${path} imports ${imported}`);
    expect(offence('functions/core/a.ts', 'functions/core/slot/x.ts')).toMatch(/is in no room of the house$/);
    expect(offence('functions/core/mint/a.ts', 'functions/core/slot/x.ts')).toBeUndefined();
    expect(offence('functions/token/a.ts', 'functions/token/b.ts')).toBeUndefined();
    expect(
      cyclesIn(
        new Map([
          ['a', new Set(['b'])],
          ['b', new Set(['a'])],
        ]),
      ),
    ).toEqual(['a → b → a']);
    const files = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'b'],
      ['d', 'e'],
    ] as const;
    expect(circleIn(arrowsOf(files))).toEqual(['b', 'c']);
  });
});

describe('core', () => {
  it('gets time, randomness and the network from its ports', () => {
    const ambient =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.|\bset(?:Timeout|Interval|Immediate)\(|\bfetch\(|\bprocess\.|\bconsole\.|\brandom(?:UUID|Bytes|Int)\(/;
    expect(coreSources.filter(({ text }) => ambient.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('uses no module of Node that reaches outside the process', () => {
    const pure = ['node:crypto', 'node:util', 'node:buffer'];
    // Addresses can be judged with it; what opens a socket is not used.
    const judgesAddresses = (text: string) => !/\b(?:connect|createConnection|createServer|Socket)\b/.test(text);
    const reaches = coreSources.flatMap(({ path, text, imports }) =>
      imports
        .filter((name) => name.startsWith('node:') && !pure.includes(name))
        .filter((name) => name !== 'node:net' || !judgesAddresses(text))
        .map((name) => `${path} imports ${name}`),
    );
    expect(reaches).toEqual([]);
  });
});

describe('functions', () => {
  it('have a handler.ts that composes, and nothing else', () => {
    const handlers = sources.filter(({ path }) => /^functions\/[a-z-]+\/handler\.ts$/.test(path));
    expect(handlers.length).toBeGreaterThanOrEqual(5);
    for (const { path, imports, text } of handlers) {
      expect([path, imports]).toEqual([path, [`${posix.dirname(path)}/function.ts`]]);
      expect(text.split('\n').length).toBeLessThan(12);
    }
  });

  it('take path and parameters from one place, which has compared them', () => {
    const reading = sources.filter(({ path, text }) => /^functions\//.test(path) && /\.pathParameters\b/.test(text));
    expect(reading.map(({ path }) => path)).toEqual([]);
  });
});

describe('files', () => {
  it(`have at most ${LONGEST_FILE_LINES} lines`, () => {
    const long = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(long.filter(({ lines }) => lines > LONGEST_FILE_LINES)).toEqual([]);
  });

  it('of presets have fewer than 60 lines', () => {
    const presets = sources.filter(({ path }) => path.startsWith('functions/providers/presets/'));
    expect(presets.filter(({ text }) => text.trimEnd().split('\n').length >= 60)).toEqual([]);
  });

  it('have names that say what they hold', () => {
    const vague = /(?:^|[/.-])(?:utils?|helpers?|managers?|common)(?:[/.-]|$)/i;
    // Secrets Manager is the name of a service.
    const named = sources.map(({ path }) => path.replaceAll('secrets-manager', 'secrets'));
    expect(named.filter((path) => vague.test(path))).toEqual([]);
    expect(sources.map(({ path }) => path).filter((path) => !/^[a-z0-9./-]+$/.test(path))).toEqual([]);
  });
});
