import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { createLambdaContext } from '../../local/lambda/lambda-context.ts';

/**
 * One cold start, in a process of its own: loads the module named first, calls its `handler` with the event named
 * second, twice, and writes what each step took to standard error. Milliseconds.
 */
const [modulePath = '', eventText = '{}'] = process.argv.slice(2);

const context = createLambdaContext({ functionName: 'bench', requestId: 'bench', timeoutMs: 28_000, now: Date.now });
const event: unknown = JSON.parse(eventText);

interface Reading {
  readonly cpu: number;
  readonly wall: number;
}

// Made ready before: the first look at this clock has Node load it.
performance.now();

// Both since the process began.
function read(): Reading {
  const { user, system } = process.cpuUsage();
  return { cpu: (user + system) / 1000, wall: performance.now() };
}

function between(from: Reading, to: Reading): Reading {
  return { cpu: to.cpu - from.cpu, wall: to.wall - from.wall };
}

const files: string[] = [];
if (process.env['BENCH_LIST_MODULES'] !== undefined) {
  registerHooks({
    load(url, loading, next) {
      files.push(url);
      return next(url, loading);
    },
  });
}
const before = new Set(builtins());
const began = read();
const { handler } = await import(pathToFileURL(modulePath).href);
const loaded = read();
const eager = files.length;
const answer: unknown = await handler(event, context).catch((error: unknown) => String(error));
const answered = read();
await handler(event, context).catch(() => undefined);
const again = read();

const status = typeof answer === 'object' && answer !== null && 'statusCode' in answer ? answer.statusCode : answer;
process.stderr.write(
  `${JSON.stringify({
    load: between(began, loaded),
    first: between(loaded, answered),
    second: between(answered, again),
    both: between(began, answered),
    whole: answered,
    status,
    eagerFiles: files.slice(0, eager),
    laterFiles: files.slice(eager),
    builtins: builtins().filter((name) => !before.has(name)),
  })}\n`,
);
process.exit(0);

/** The modules of Node that are loaded, by the name Node gives them. */
function builtins(): readonly string[] {
  // Undocumented, and the only list that has the internal ones, undici's among them.
  const list: unknown = Reflect.get(process, 'moduleLoadList');
  return Array.isArray(list) ? list.map(String) : [];
}
