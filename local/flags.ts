import { parseArgs } from 'node:util';
import { StartError } from './start-error.ts';

/** Flags of `npm start`. */
export interface Flags {
  /** Port of the API; 0 picks a free one. */
  readonly port: number;
  readonly refreshEverySeconds: number;
  readonly dataDir: string | undefined;
  /** Origin of a separate DynamoDB; default an embedded one. */
  readonly dynamodbUrl: string | undefined;
  readonly connectionsFile: string | undefined;
  readonly secretsFile: string | undefined;
  readonly demo: boolean;
  /** Demo upstreams stand in for examples' addresses of the connections file. */
  readonly standIns: boolean;
  readonly requireSigv4: boolean;
  /** Prints the log as JSON on a terminal too. */
  readonly verbose: boolean;
  readonly otherUsers: boolean;
  readonly help: boolean;
}

/** The text of `npm start -- --help`. */
export const HELP = `Boots the token broker on loopback: the real functions, an embedded DynamoDB, and three demo upstreams.

Usage: npm start -- [flags]

  --port N                  port of the API (8787; 0 picks a free one)
  --refresh-every SECONDS   how often the schedule looks for what is due (60)
  --data DIR                keeps the store in DIR across starts; in memory without. The demo keeps its ports and
                            takes the tokens that it gave before
  --dynamodb URL            a DynamoDB on this machine in place of the embedded one, so that several
                            brokers share it; needs --connections and --data, whose key they share
  --connections FILE        your connections, .ts (default export) or .json; needs --secrets
  --secrets FILE            their secrets, {"<connection>": {…}}; a change is a rotation; needs --connections
  --demo                    starts the demo upstreams beside your own connections
  --stand-ins               demo upstreams stand in for the addresses of examples in your connections, such as
                            https://helpmaster.example.com/api; only the other connections need --secrets
  --require-sigv4           refuses what is not signed, as the deployed API does;
                            service execute-api, region us-east-1, credentials local / local
  --other-users             with your own connections: answers other users of this machine too
  --verbose                 the log as JSON, which a terminal gets in short lines
  --help                    shows this

Examples:
  npm start
  npm start -- --port 0 --refresh-every 5
  npm start -- --connections connections.ts --secrets secrets.json --data .token-broker
`;

const WHOLE_NUMBER = /^[0-9]{1,5}$/;
const SECONDS = /^[0-9]{1,6}(?:\.[0-9]{1,3})?$/;
const HIGHEST_PORT = 65_535;

/** Reads the command line. Throws a `StartError` that names the flag and the remedy. */
export function flagsOf(args: readonly string[]): Flags {
  const values = parsed(args);
  const { port = '8787', 'refresh-every': refreshEvery = '60' } = values;
  if (!WHOLE_NUMBER.test(port) || Number(port) > HIGHEST_PORT) {
    throw new StartError(`--port must be a whole number from 0 to ${HIGHEST_PORT}, such as --port 8787.`);
  }
  if (!SECONDS.test(refreshEvery) || Number(refreshEvery) === 0) {
    throw new StartError('--refresh-every must be a number of seconds above 0, such as --refresh-every 60.');
  }
  if (values.connections !== undefined && values.secrets === undefined && !values['stand-ins']) {
    throw new StartError(
      '--connections needs --secrets FILE, with the secrets of those connections: {"<connection>": {…}}.',
    );
  }
  for (const name of ['data', 'connections', 'secrets'] as const) {
    if (values[name] === '') throw new StartError(`--${name} needs a path behind it.`);
  }
  if (values.secrets !== undefined && values.connections === undefined) {
    throw new StartError('--secrets needs --connections FILE: the demo has secrets of its own.');
  }
  const dynamodbUrl = values.dynamodb === undefined ? undefined : sharedDynamodbOf(values.dynamodb, values);
  return {
    port: Number(port),
    refreshEverySeconds: Number(refreshEvery),
    dataDir: values.data,
    dynamodbUrl,
    connectionsFile: values.connections,
    secretsFile: values.secrets,
    demo: values.demo,
    standIns: values['stand-ins'],
    requireSigv4: values['require-sigv4'],
    verbose: values.verbose,
    otherUsers: values['other-users'],
    help: values.help,
  };
}

const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Reads the origin of a DynamoDB that several brokers share. Refuses it without the key file of `--data`, since brokers
 * could not open each other's tokens, and with the demo upstreams, since each process has its own.
 */
function sharedDynamodbOf(
  url: string,
  { data, connections }: { readonly data?: string | undefined; readonly connections?: string | undefined },
): string {
  const parsedUrl = URL.canParse(url) ? new URL(url) : undefined;
  const isOrigin = parsedUrl !== undefined && [parsedUrl.origin, `${parsedUrl.origin}/`].includes(url);
  if (!isOrigin || parsedUrl.protocol !== 'http:' || !LOOPBACK_HOSTS.includes(parsedUrl.hostname)) {
    throw new StartError(
      '--dynamodb must be the address of a DynamoDB on this machine and no more, such as --dynamodb http://127.0.0.1:8000.',
    );
  }
  if (data === undefined) {
    throw new StartError(
      '--dynamodb needs --data DIR: its key file opens what is stored, and all brokers on one DynamoDB must share it.',
    );
  }
  if (connections === undefined) {
    throw new StartError(
      "--dynamodb needs --connections FILE, the same for all brokers: demo upstreams are each broker's own.",
    );
  }
  return parsedUrl.origin;
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        'refresh-every': { type: 'string' },
        data: { type: 'string' },
        dynamodb: { type: 'string' },
        connections: { type: 'string' },
        secrets: { type: 'string' },
        demo: { type: 'boolean', default: false },
        'stand-ins': { type: 'boolean', default: false },
        'require-sigv4': { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        'other-users': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new StartError(
      `${error instanceof Error ? error.message : 'The flags cannot be read'}. --help lists the flags.`,
    );
  }
}
