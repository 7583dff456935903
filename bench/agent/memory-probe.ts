import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that a process holds, after a collection of garbage. */
export interface ProcessMemory {
  /** Node's own, before anything of the program was loaded. */
  readonly bare: number;
  readonly resident: number;
  readonly heap: number;
}

// Loaded by `--import` before the program, in its process. It answers each message with the memory.
const bare = process.memoryUsage.rss();
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function readMemory(): ProcessMemory {
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  return { bare, resident: rss, heap: heapUsed };
}

process.on('disconnect', () => process.exit(0));
process.on('message', () => process.send?.(readMemory()));
