import { createHash } from 'node:crypto';

const SESSION = /^(arn:[\w-]+:sts::\d+:assumed-role\/[^/]+)\/.*$/s;
const HASH_LENGTH = 16;

/** Hashes a caller as its grant names it: a role, whatever names its sessions have. */
export function hashCaller(caller: string): string {
  return createHash('sha256').update(caller.replace(SESSION, '$1')).digest('hex').slice(0, HASH_LENGTH);
}
