import { join } from 'node:path';
import { PROJECT_FOLDER } from '../system/broker-process.ts';
import type { Languages } from './languages.ts';

/** Each caller of the agent that is run, and in which language. `docs/agent.md` says the same. */
export const agentPrograms: readonly (readonly [keyof Languages, string])[] = [
  ['shell', 'token.sh'],
  ['python', 'token.py'],
  ['go', 'token.go'],
  ['java', 'Token.java'],
  ['node', 'token.mjs'],
  ['csharp', 'Token.cs'],
];

/** Each recipe for a call that is made again after a 401. */
export const agentRecipes: readonly (readonly [keyof Languages, string])[] = [
  ['python', 'call.py'],
  ['go', 'call.go'],
  ['java', 'Call.java'],
];

export function agentProgram(file: string, folder: 'examples' | 'recipes' = 'examples'): string {
  return join(PROJECT_FOLDER, 'docs/agent', folder, file);
}

/** Lines of a program that do something: no comment, no import, no bracket alone. */
export function linesThatCount(program: string): readonly string[] {
  const code = program.replace(/^import \([^)]*\)$/m, '').split('\n');
  return code.filter((line) => !/^\s*(?:$|#|\/\/|import\b|using\b|package\b|class\b|[{}]+$)/.test(line));
}
