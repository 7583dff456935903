// dynalite has no types of its own; this is what is used of it.
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** Folder of the LevelDB store; in memory where it is left out. */
    readonly path?: string;
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }

  /** Its `close` also closes the store. */
  export default function dynalite(options: DynaliteOptions): Server;
}
