import { type Call, type Command, operand } from '../command.ts';
import {
  checkCredential,
  checkIdentity,
  checkListing,
  checkReach,
  checkRegion,
  checkSecretShape,
  checkTokenGrant,
  type Finding,
} from '../doctor/checks.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import type { Style } from '../terminal.ts';

const marks: Readonly<Record<Finding['state'], readonly [Style, string]>> = {
  ok: ['green', 'ok'],
  warning: ['yellow', 'warning'],
  failed: ['red', 'failed'],
  unknown: ['dim', 'unknown'],
};
const WIDEST_MARK = 7;
const NAMED_SECRET = /^([a-z0-9][a-z0-9_-]{0,62})=(.+)$/;

/** `token-broker doctor`: checks everything that a hand-out needs, and names the remedy for each fault. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'checks identity, region, reach, clock, grants and secrets, each with its remedy',
  operands: ['[CONNECTION]'],
  options: {
    'read-secrets': {
      type: 'boolean',
      help: 'reads the secrets as you, to check their shape; nothing of them is shown',
    },
    'secret-id': {
      type: 'string',
      multiple: true,
      value: '[CONNECTION=]ID',
      help: 'name or ARN of a secret to read (asked of the broker); repeatable',
    },
  },
  notes: [
    'No token is handed out and nothing is changed. Whether a credential works is told from what the broker remembers of',
    'its last login. Later checks are left out where an earlier one makes them pointless. Exit code 8: something failed.',
  ],
  examples: [
    ['doctor', 'against `npm start`'],
    ['doctor wfm --url https://ID.execute-api.eu-west-1.amazonaws.com/v1', 'one connection of a deployed broker'],
    ['doctor --read-secrets --secret-id wfm=mine/wfm', 'the secret of wfm has a name of its own'],
  ],
  async run(call) {
    const secretIds = secretIdsOf(call);
    const findings: Finding[] = [];
    for await (const finding of examine(call, secretIds)) {
      findings.push(finding);
      if (!call.isJson) show(call, finding);
    }
    const isHealthy = findings.every(({ state }) => state !== 'failed');
    if (call.isJson) call.print(JSON.stringify({ healthy: isHealthy, findings }, undefined, 2));
    else call.say(isHealthy ? 'Nothing is to be mended.' : 'Mend what failed, from the top, and look again.');
    return isHealthy ? EXIT.ok : EXIT.unhealthy;
  },
};

/** Reads the named secrets, by connection. Throws a `UsageError` if a secret's connection is unclear. */
function secretIdsOf(call: Call): ReadonlyMap<string, string> {
  const only = operand(call, 0);
  const given = call.texts('secret-id');
  if (given.length > 0 && !call.flag('read-secrets')) {
    throw new UsageError('--secret-id names a secret to read: give --read-secrets too.');
  }
  return new Map(
    given.map((text): [string, string] => {
      const [, name, id] = NAMED_SECRET.exec(text) ?? [];
      // A secret's own name may contain a `=`.
      if (name !== undefined && id !== undefined && (only === '' || name === only)) return [name, id];
      if (only !== '') return [only, text];
      throw new UsageError('With more than one connection to check, write --secret-id CONNECTION=ID.');
    }),
  );
}

async function* examine(call: Call, secretIds: ReadonlyMap<string, string>): AsyncGenerator<Finding> {
  yield checkRegion(call);
  const identity = await checkIdentity(call);
  yield identity;
  const reach = await checkReach(call);
  yield* reach;
  if ([identity, ...reach].some(({ state }) => state === 'failed')) return;

  const only = operand(call, 0);
  const { finding, connections } = await checkListing(call);
  // A user who names a connection may be a caller, who needs no permission to list.
  yield only !== '' && finding.state === 'failed' ? { ...finding, state: 'unknown' } : finding;
  const names = only === '' ? connections.map(({ name }) => name) : [only];
  for (const name of names) {
    yield await checkTokenGrant(call, name);
    yield await checkCredential(call, name);
    const summary = connections.find((connection) => connection.name === name);
    if (call.flag('read-secrets') && !call.endpoint.isLoopback && summary !== undefined) {
      yield await checkSecretShape(call, name, secretIds.get(name));
    }
  }
}

function show({ paint, print }: Call, { check, state, detail, remedy }: Finding): void {
  const [style, mark] = marks[state];
  print(`${paint(style, mark.padEnd(WIDEST_MARK))}  ${paint('bold', check)}: ${detail}`);
  if (remedy !== undefined && state !== 'ok') print(`${' '.repeat(WIDEST_MARK)}  → ${remedy}`);
}
