import { join } from 'node:path';
import { PROJECT_FOLDER } from '../system/broker-process.ts';
import type { Languages } from './languages.ts';

export const CALLING_FOLDER = join(PROJECT_FOLDER, 'docs/calling');

/** Each ready request that is run, and in which language. The page of `docs/calling/` says the same. */
export const readyRequests: readonly (readonly [keyof Languages, string])[] = [
  ['shell', 'request.sh'],
  ['python', 'request.py'],
  ['go', 'request.go'],
  ['node', 'request.mjs'],
  ['java', 'Request.java'],
  ['csharp', 'Request.cs'],
];

export function pathOf(file: string): string {
  return join(CALLING_FOLDER, 'examples', file);
}
