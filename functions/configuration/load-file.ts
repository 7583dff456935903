import { readFile, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resolveConnections } from './check.ts';
import type { Configuration } from './configuration.ts';
import { ConfigurationError } from './errors.ts';
import { parseJsonText } from './json-text.ts';
import { isRecord } from './shape.ts';

const ERROR_CLASS = /^[A-Z][A-Za-z]{0,40}Error$/;
const ERROR_CODE = /^E[A-Z_]{1,60}$/;
const LONGEST_MESSAGE = 300;
const moduleExtensions = new Set(['.ts', '.mts', '.js', '.mjs']);

/**
 * Reads the operator's declaration from a `.json` file or from the default export of a `.ts`, `.mts`, `.js` or `.mjs`
 * file, applies `change` to it, and resolves it. Throws `ConfigurationError` with the path in its message. The message
 * quotes nothing of the file but the first line of an `Error` that a module throws itself.
 */
export async function loadConfigurationFile(
  path: string,
  change: (declaration: unknown) => unknown = (declaration) => declaration,
): Promise<Configuration> {
  await requireFile(path);
  const declaration = change(extname(path) === '.json' ? await readJson(path) : await importDefault(path));
  try {
    return resolveConnections(declaration);
  } catch (error) {
    throw error instanceof ConfigurationError ? new ConfigurationError(error.problems, path) : error;
  }
}

async function requireFile(path: string): Promise<void> {
  const file = await stat(path).catch((error: unknown) => {
    throw createError(
      path,
      codeOf(error) === 'ENOENT' ? 'there is no such file: check the path' : describeUnreadable(error),
    );
  });
  if (!file.isFile()) {
    throw createError(path, 'is not a file: name the file that declares the connections');
  }
  if (extname(path) !== '.json' && !moduleExtensions.has(extname(path))) {
    throw createError(path, `must end in .json, ${[...moduleExtensions].join(', ')}`);
  }
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw createError(path, describeUnreadable(error));
  });
  const parsed = parseJsonText(text);
  if ('breaksAt' in parsed) throw createError(path, `is not JSON: look at ${parsed.breaksAt}`);
  return parsed.value;
}

async function importDefault(path: string): Promise<unknown> {
  const module: unknown = await import(pathToFileURL(resolve(path)).href).catch((error: unknown) => {
    throw createError(path, `cannot be loaded: ${explainFailure(error, path)}`);
  });
  if (!isRecord(module) || module['default'] === undefined) {
    throw createError(path, 'has no default export: end it with `export default defineConnections({ … })`');
  }
  return module['default'];
}

/**
 * Explains why a module failed, by class and place: the message of one of Node's own errors may quote the code. Quotes
 * the first line of a plain `Error`: the file itself throws it, for example for a missing environment variable.
 */
function explainFailure(error: unknown, path: string): string {
  if (!(error instanceof Error)) {
    return 'it threw something that is no Error';
  }
  if (error.name === 'Error' && !('code' in error)) {
    return error.message.slice(0, LONGEST_MESSAGE).split('\n')[0] ?? '';
  }
  const errorClass = ERROR_CLASS.test(error.name) ? error.name : 'Error';
  const code = codeOf(error);
  const named = ERROR_CODE.test(code) ? `${errorClass} ${code}` : errorClass;
  return `${named}${findPlace(error.stack ?? '', path)}; run the file with \`node\` (24 for TypeScript) to see more`;
}

/** Finds the place in the file that the stack names. Empty for JavaScript that does not parse: its stack has none. */
function findPlace(stack: string, path: string): string {
  const names = [pathToFileURL(resolve(path)).href, resolve(path)];
  const places = names.map((name) => /^:(\d+)(?::(\d+))?/.exec(stack.split(name)[1] ?? ''));
  const [, line, column] = places.find((place) => place !== null) ?? [];
  return line === undefined ? '' : ` at line ${line}${column === undefined ? '' : `, column ${column}`}`;
}

function createError(path: string, message: string): ConfigurationError {
  return new ConfigurationError([{ path: '', message }], path);
}

function describeUnreadable(error: unknown): string {
  return `cannot be read (${codeOf(error)}): check its permissions`;
}

function codeOf(error: unknown): string {
  return isRecord(error) && typeof error['code'] === 'string' ? error['code'] : 'unknown error';
}
