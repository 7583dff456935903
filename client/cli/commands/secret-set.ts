import type { SecretField } from '../../broker-api.ts';
import { TokenBrokerError } from '../../error.ts';
import { type Call, type Command, operand } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { createSecretStore, defaultSecretId, faultOf, shapeOf, suspectIn } from '../secrets.ts';
import { readAll, readHidden } from '../terminal.ts';

/** `token-broker secret set`: stores a credential where only the connection's mint function reads it. */
export const secretSetCommand: Command = {
  name: 'secret set',
  summary: "puts a connection's credential into AWS Secrets Manager",
  operands: ['CONNECTION'],
  options: {
    fields: { type: 'string', value: 'NAMES', help: 'with commas between them (asked of the broker)' },
    'secret-id': { type: 'string', value: 'ID', help: 'name or ARN of the secret (token-broker/CONNECTION)' },
  },
  notes: [
    'The credential is asked for without being shown, or comes on stdin: as the JSON of the whole secret, or bare where',
    'there is one field. It is never an argument, and never printed. The broker tries it within 10 seconds.',
  ],
  examples: [
    ['secret set helpdesk', 'asks for the API key'],
    ['secret set wfm < wfm.json', '{"username":"…","password":"…"} from a file'],
    ['secret set helpdesk --fields apiKey < key.txt', 'the bare key, without asking the broker'],
  ],
  async run(call) {
    const connection = operand(call, 0);
    if (call.endpoint.isLoopback) {
      throw new UsageError(
        `\`npm start\` has no Secrets Manager to write to. Its credentials are in the file of --secrets: change "${connection}" there, and it is taken up within 2 seconds. For a deployed broker give --url.`,
      );
    }
    const fields = namedFields(call.text('fields')) ?? (await fieldsOf(call, connection));
    const value = call.terminal.stdin.isTTY === true ? await askedFor(call, fields) : await readFromStdin(call, fields);
    const fault = faultOf(value, fields);
    if (fault !== undefined) throw new UsageError(`The secret was not set. ${fault}`);
    const suspect = suspectIn(value, fields);
    if (suspect !== undefined) call.say(`Look again: ${suspect}`);
    const secretId = call.text('secret-id') ?? defaultSecretId(connection);
    const store = await createSecretStore(call.endpoint.region);
    await store.write(secretId, JSON.stringify(value));
    if (call.isJson) call.print(JSON.stringify({ connection, secret_id: secretId, set: true }));
    else call.say(`Set ${secretId}. The broker tries it within 10 seconds of the next request for ${connection}.`);
    return EXIT.ok;
  },
};

function namedFields(names: string | undefined): readonly SecretField[] | undefined {
  return names?.split(',').map((name) => ({ name: name.trim(), kind: 'text', required: true }));
}

async function fieldsOf({ client }: Call, connection: string): Promise<readonly SecretField[]> {
  try {
    return (await client.status(connection)).secret_fields;
  } catch (error) {
    if (!(error instanceof TokenBrokerError) || error.code !== 'unknown_connection') throw error;
    throw new UsageError(
      `The broker has no connection ${connection}. \`token-broker connections\` lists those that there are.`,
    );
  }
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
  const text = (await readAll(terminal.stdin)).toString('utf8').replace(/\r?\n$/, '');
  const [only] = fields;
  if (!text.trimStart().startsWith('{') && fields.length === 1 && only !== undefined) return { [only.name]: text };
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`What came on stdin is not JSON. It is ${shapeOf(fields)}.`);
  }
}
