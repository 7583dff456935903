import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { printable } from '../client/printable.ts';

/** Fields to show behind the message, in this order, if they are there. */
const SHOWN = ['token', 'tokenHash', 'generation', 'source', 'via', 'status', 'code', 'route'] as const;

/** Time after a line in which others like it are counted. */
const COUNT_MS = 1_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Creates the log for somebody who looks at a terminal: one short line for each of the functions' JSON lines, none for
 * their metrics. Of lines that come at once and differ in their time alone, one is shown and the others are counted. Text that
 * is no JSON of theirs passes as it is, and so does every line if `isVerbose`. Nothing that others have written, such as
 * the subject of a JWT, gives the terminal an order.
 */
export function createTerminalLog(output: Pick<Writable, 'write'>, isVerbose = false): Writable {
  let unfinished = '';
  let latest: string | undefined;
  let more = 0;
  let counting: NodeJS.Timeout | undefined;

  function tellMore(): void {
    clearTimeout(counting);
    latest = undefined;
    if (more > 0) output.write(`          … and ${more} more like it\n`);
    more = 0;
  }

  function show(line: string): void {
    const short = isVerbose ? undefined : shortLine(line);
    if (short === 'metrics') return;
    if (short !== undefined && short.text === latest) {
      more += 1;
      return;
    }
    tellMore();
    output.write(`${printable(short === undefined ? line : `${short.time}  ${short.text}`)}\n`);
    if (short === undefined) return;
    latest = short.text;
    counting = setTimeout(tellMore, COUNT_MS).unref();
  }

  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const lines = (unfinished + chunk.toString()).split('\n');
      unfinished = lines.pop() ?? '';
      for (const line of lines) show(line);
      done();
    },
    final(done) {
      tellMore();
      done();
    },
  });
}

/** Shortens a line; undefined for one that is none of the functions'. */
function shortLine(line: string): { readonly time: string; readonly text: string } | 'metrics' | undefined {
  const fields = parseObject(line);
  if (fields === undefined || (fields['message'] === undefined && fields['_aws'] === undefined)) return undefined;
  const { level, message, timestamp, audit, _aws: metrics } = fields;
  if (metrics !== undefined) return 'metrics';
  const all = isObject(audit) ? { ...fields, ...audit } : fields;
  const time = new Date(String(timestamp)).toLocaleTimeString('en-GB');
  const slot = [all['connection'], all['subject']].filter((name) => name !== undefined).join('/');
  const rest = SHOWN.flatMap((name) => (all[name] === undefined ? [] : [labelled(name, all[name])]));
  const said = String(message).replace(/\.$/, '');
  const text = [[said, slot].filter(Boolean).join(': '), ...rest].join('  ');
  const options = { validateStream: false };
  return {
    time: styleText('dim', time, options),
    text: level === 'WARN' ? styleText('yellow', text, options) : text,
  };
}

function labelled(name: (typeof SHOWN)[number], value: unknown): string {
  return name === 'generation' ? `generation ${String(value)}` : String(value);
}

function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
