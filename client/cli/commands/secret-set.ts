import type { ConnectionStatus, SecretField } from '../../broker-api.ts';
import { TokenBrokerError } from '../../error.ts';
import { checkCandidate } from '../check-candidate.ts';
import { type Call, type Command, operand, subjectOption } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { createSecretStore, defaultSecretId, faultOf, shapeOf, suspectIn } from '../secrets.ts';
import { readAll, readHidden } from '../terminal.ts';

/** `token-broker secret set`: stores a credential where only the connection's mint function reads it. */
export const secretSetCommand: Command = {
  name: 'secret set',
  summary: "puts a connection's credential into AWS Secrets Manager",
  operands: ['CONNECTION'],
  options: {
    check: { type: 'boolean', help: 'tries it by one login, and makes it current only if the upstream takes it' },
    subject: subjectOption,
    fields: { type: 'string', value: 'NAMES', help: 'with commas between them (asked of the broker)' },
    'secret-id': { type: 'string', value: 'ID', help: 'name or ARN of the secret (asked of the broker)' },
  },
  notes: [
    'The credential is asked for without being shown, or comes on stdin: as the JSON of the whole secret, or bare where',
    'there is one field. It is never an argument, and never printed. The broker tries it within 10 seconds.',
    'With --check a wrong value changes nothing: the one before stays current. It counts as a failed login all the same.',
    'The first value of a secret is current at once, and is then tried. `npm start` takes values with --check alone.',
  ],
  examples: [
    ['secret set helpdesk', 'asks for the API key'],
    ['secret set helpdesk --check', 'tries it first: a wrong one changes nothing'],
    ['secret set wfm < wfm.json', '{"username":"…","password":"…"} from a file'],
    [
      'secret set helpdesk --fields apiKey < key.txt',
      'the bare key, into token-broker/helpdesk: the broker is not asked',
    ],
  ],
  async run(call) {
    const connection = operand(call, 0);
    const isChecked = call.flag('check');
    if (call.endpoint.isLoopback && !isChecked) {
      throw new UsageError(
        `\`npm start\` has no Secrets Manager to write to. With --check it tries a new credential and takes it up; or change "${connection}" in its file of --secrets, if it has one. For a deployed broker give --url.`,
      );
    }
    if (call.text('subject') !== undefined && !isChecked) throw new UsageError('--subject belongs to --check.');
    const named = namedFields(call.text('fields'));
    const status = isChecked || named === undefined ? await statusOf(call, connection) : undefined;
    if (isChecked) assertTakesCandidates(connection, status);
    const fields = named ?? status?.secret_fields ?? [];
    const value = call.terminal.stdin.isTTY === true ? await askedFor(call, fields) : await readFromStdin(call, fields);
    const fault = faultOf(value, fields);
    if (fault !== undefined) throw new UsageError(`The secret was not set. ${fault}`);
    const suspect = suspectIn(value, fields);
    if (suspect !== undefined) call.say(`Look again: ${suspect}`);
    const secretId = call.text('secret-id') ?? status?.secret ?? defaultSecretId(connection);
    if (isChecked) {
      const subject = call.text('subject') ?? 'system';
      return checkCandidate(call, { connection, subject, secretId, value: JSON.stringify(value) });
    }
    const store = await createSecretStore(call.endpoint);
    await store.write(secretId, JSON.stringify(value));
    if (call.isJson) call.print(JSON.stringify({ connection, secret_id: secretId, set: true }));
    else call.say(`Set ${secretId}. The broker tries it within 10 seconds of the next request for ${connection}.`);
    return EXIT.ok;
  },
};

function namedFields(names: string | undefined): readonly SecretField[] | undefined {
  return names?.split(',').map((name) => ({ name: name.trim(), kind: 'text', required: true }));
}

async function statusOf({ client }: Call, connection: string): Promise<ConnectionStatus> {
  try {
    return await client.status(connection);
  } catch (error) {
    if (!(error instanceof TokenBrokerError) || error.code !== 'unknown_connection') throw error;
    throw new UsageError(
      `The broker has no connection ${connection}. \`token-broker connections\` lists those that there are.`,
    );
  }
}

/** Throws if the broker cannot try a value before it is current. */
function assertTakesCandidates(connection: string, status: ConnectionStatus | undefined): void {
  if (status?.credential?.takes_candidates === true) return;
  const why =
    status?.credential === undefined
      ? 'This broker tries no values before they are current: deploy it again.'
      : status.kept_secret === undefined
        ? `A login of ${connection} sends nothing to the upstream, so nothing would show that the value is wrong.`
        : `The credential of ${connection} rotates: a login would spend the new value.`;
  throw new UsageError(`${why} Set it without --check.`);
}

async function askedFor({ terminal }: Call, fields: readonly SecretField[]): Promise<unknown> {
  const lines = fields.find(({ kind }) => kind === 'pem');
  if (lines !== undefined) {
    throw new UsageError(
      `"${lines.name}" is PEM, which has many lines: give the whole secret on stdin, as ${shapeOf(fields)} in a file.`,
    );
  }
  const value: Record<string, string> = {};
  for (const { name, required } of fields) {
    const text = await readHidden(terminal, `${name} (not shown${required ? '' : '; may be left empty'}): `);
    if (text !== '' || required) value[name] = text;
  }
  return value;
}

async function readFromStdin({ terminal }: Call, fields: readonly SecretField[]): Promise<unknown> {
  // Windows puts a byte order mark before what it saves as UTF-8.
  const text = (await readAll(terminal.stdin)).toString('utf8').replace(/^\uFEFF|\r?\n$/g, '');
  const [only] = fields;
  if (!text.trimStart().startsWith('{') && fields.length === 1 && only !== undefined) return { [only.name]: text };
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`What came on stdin is not JSON. It is ${shapeOf(fields)}.`);
  }
}
