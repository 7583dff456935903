import { readFile } from 'node:fs/promises';
import { limitedBytes } from '../../answer.ts';
import { printable } from '../../printable.ts';
import { withTransportErrors } from '../../transport.ts';
import { type Call, type Command, operand, subjectOption } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { readAll } from '../terminal.ts';

const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/;
/** Most that a REST API can answer. */
const MOST_ANSWER_BYTES = 10 * 1024 * 1024;
const METHOD = /^[A-Za-z]{1,16}$/;

/** `token-broker call`: a request to the upstream through the broker. */
export const callCommand: Command = {
  name: 'call',
  summary: 'calls the upstream through the broker, which keeps the token',
  operands: ['CONNECTION', 'METHOD', 'PATH'],
  options: {
    subject: subjectOption,
    data: { type: 'string', short: 'd', value: 'DATA', help: 'the body: text, @FILE, or @- for stdin' },
    header: { type: 'string', short: 'H', multiple: true, value: 'NAME: VALUE', help: 'a header; may be repeated' },
    include: { type: 'boolean', short: 'i', help: 'prints status and headers before the body' },
  },
  notes: [
    'A body is sent as application/json unless a Content-Type is given. The broker forwards accept*, content-* and if-*,',
    'and what the connection declares. Where the upstream answers 400 or above, the exit code is 7.',
    'With --json: {"status","headers","body"}; a body that is no UTF-8 is in "body_base64".',
  ],
  examples: [
    ['call wfm GET /AgentLogonReport', 'the body of the answer'],
    ['call helpdesk GET "/jobs/MyOpenJobs?page=2" --subject 88 -i', 'as staff member 88, with status and headers'],
    ['call helpdesk POST /jobs -d \'{"title":"New phone"}\'', 'with a body'],
    ['call helpdesk POST /jobs -d @job.json -H "Accept-Language: de"', 'from a file, with a header'],
  ],
  async run(call) {
    const [connection, method, path] = [operand(call, 0), operand(call, 1).toUpperCase(), operand(call, 2)];
    if (!METHOD.test(method)) throw new UsageError('METHOD is a word such as GET or POST.');
    if (!path.startsWith('/')) throw new UsageError('PATH begins with /, behind the base URL of the connection.');
    const headers = headersOf(call.texts('header'));
    const body = await bodyOf(call);
    if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
      throw new UsageError(`${method} has no body: leave -d out, or use POST.`);
    }
    if (body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
    const response = await call.client.proxy(connection, path, {
      method,
      headers,
      subject: call.text('subject'),
      ...(body === undefined ? {} : { body }),
    });
    await show(call, response);
    if (response.status < 400) return EXIT.ok;
    call.say(`The answer is ${response.status}${response.headers.has('content-type') ? '' : ', without content'}.`);
    return EXIT.upstreamAnswer;
  },
};

async function show(call: Call, response: Response): Promise<void> {
  const { timeoutMs } = call;
  const bytes = await withTransportErrors({ timeoutMs, what: 'the broker' }, () =>
    limitedBytes(response, MOST_ANSWER_BYTES),
  );
  const { stdout } = call.terminal;
  if (call.isJson) {
    const text = textOf(bytes);
    const body = text === undefined ? { body_base64: bytes.toString('base64') } : { body: text };
    const headers = Object.fromEntries(response.headers);
    call.print(JSON.stringify({ status: response.status, headers, ...body }, undefined, 2));
    return;
  }
  if (call.flag('include')) {
    call.print(call.paint(response.ok ? 'green' : 'red', `HTTP ${response.status}`));
    for (const [name, value] of response.headers) call.print(`${call.paint('cyan', name)}: ${value}`);
    call.print('');
  }
  if (stdout.isTTY !== true) {
    stdout.write(bytes);
    return;
  }
  // A terminal takes control characters for orders. Bytes that are no UTF-8 are shown as such.
  stdout.write(printable(bytes.toString('utf8')));
  // End the line, so that the shell's prompt begins on its own.
  if (bytes.length > 0 && bytes.at(-1) !== 0x0a) stdout.write('\n');
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError('A header is NAME: VALUE, such as -H "Accept: text/csv".');
    headers.append(name, value);
  }
  return headers;
}

async function bodyOf(call: Call): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const data = call.text('data');
  if (data === undefined) return undefined;
  if (data === '@-') return new Uint8Array(await readAll(call.terminal.stdin));
  if (!data.startsWith('@')) return new Uint8Array(Buffer.from(data));
  try {
    return new Uint8Array(await readFile(data.slice(1)));
  } catch {
    throw new UsageError(
      `The file ${data.slice(1)} cannot be read. A body that begins with @ goes through stdin: -d @-`,
    );
  }
}
