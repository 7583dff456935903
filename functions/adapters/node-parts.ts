/**
 * Stands in a bundle for `node:fs`, `node:fs/promises` and `node:process`. An import of one of these has Node make all
 * that it exports: promises, streams, reports, standard output. That is 3 ms of a cold start; these are what is used.
 */
export const { env, versions } = process;
export const { readFileSync, fstatSync, lstatSync, createReadStream } = process.getBuiltinModule('node:fs');

/** Reads a file: the SDK a profile, where a function has one. */
export function readFile(path: string, encoding: 'utf8'): Promise<string> {
  return process.getBuiltinModule('node:fs').promises.readFile(path, encoding);
}

/** The class of a file's stream, of which there is none: the SDK looks whether a body is one. */
export class ReadStream {}
