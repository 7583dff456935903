// dynalite has no types of its own; these are the parts in use.
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** Folder of the LevelDB store; default in memory. */
    readonly path?: string;
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }

  /** Creates the server; its `close` also closes the store. */
  export default function dynalite(options: DynaliteOptions): Server;
}
