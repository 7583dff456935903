import { styleText } from 'node:util';
import { printable } from '../printable.ts';
import { Interrupted, UsageError } from './exit-codes.ts';

/** Stream that a command prints to. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Stream that a command reads from. */
export interface Input extends AsyncIterable<string | Uint8Array> {
  readonly isTTY?: boolean | undefined;
  setRawMode?(raw: boolean): unknown;
  pause?(): unknown;
  /** Iterator of Node's streams that can leave the stream open. */
  iterator?(options: { destroyOnReturn: boolean }): AsyncIterable<string | Uint8Array>;
}

/** Streams and environment of the command line: data to stdout, all else to stderr. */
export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Input;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gets a signal that aborts on Ctrl-C, for commands that run until then. */
  interruption(): AbortSignal;
}

/** A style of text on a terminal. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
/** Colours a text if colour is on. */
export type Paint = (style: Style, text: string) => string;

/** Chooses colour: only on a terminal that supports it, never with NO_COLOR, TERM=dumb or `--no-color`. */
export function paintFor(output: Output, environment: Terminal['environment'], noColor: boolean): Paint {
  const isOff = noColor || (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  const isOn = !isOff && output.isTTY === true;
  return (style, text) => (isOn ? styleText(style, text, { validateStream: false }) : text);
}

/** Reports whether the terminal probably draws block characters. */
export function drawsBlocks(output: Output, environment: Terminal['environment']): boolean {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  return output.isTTY === true && environment['TERM'] !== 'dumb' && /utf-?8/i.test(locale);
}

const MOST_INPUT_BYTES = 8 * 1024 * 1024;

/** Reads stdin to its end. Throws a `UsageError` if it is more than the broker accepts. */
export async function readAll(stdin: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MOST_INPUT_BYTES) throw new UsageError('There is more on stdin than can be meant.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

const ENTER = new Set(['\r', '\n', '\u0004']);
const INTERRUPT = '\u0003';
const ERASE = new Set(['\u007f', '\b']);
const ERASE_LINE = '\u0015';

/** Asks on stderr and reads one line from the terminal without echo. Throws `Interrupted` for Ctrl-C. */
export async function readHidden({ stdin, stderr }: Terminal, question: string): Promise<string> {
  stderr.write(printable(question));
  stdin.setRawMode?.(true);
  let typed = '';
  // Another question may follow this one.
  const chunks = stdin.iterator?.({ destroyOnReturn: false }) ?? stdin;
  try {
    for await (const chunk of chunks) {
      for (const char of chunk.toString()) {
        if (char === INTERRUPT) throw new Interrupted('Interrupted.');
        if (ENTER.has(char)) return typed;
        if (ERASE.has(char)) typed = [...typed].slice(0, -1).join('');
        else if (char === ERASE_LINE) typed = '';
        else typed += char;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode?.(false);
    stdin.pause?.();
    stderr.write('\n');
  }
}
