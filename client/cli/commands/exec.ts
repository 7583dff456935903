import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Command, operand } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { parseSlot } from '../slot-operand.ts';

const DEFAULT_VARIABLE = 'ACCESS_TOKEN';
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const WHOLE_SECONDS = /^[0-9]{1,9}$/;
/** Signals to pass on to the command. */
const PASSED_ON = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
/** Signals that a terminal sends to the command by itself. */
const FROM_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT']);
/** Exit codes of a shell for a command that cannot be run, that is not there, and that a signal ended. */
const CANNOT_RUN = 126;
const NOT_THERE = 127;
const BY_SIGNAL = 128;

/** `token-broker exec`: runs a command that has a token in its environment. */
export const execCommand: Command = {
  name: 'exec',
  summary: 'runs a command with a token in its environment',
  operands: ['CONNECTION[/SUBJECT]'],
  rest: 'COMMAND...',
  options: {
    env: { type: 'string', short: 'e', value: 'NAME', help: `name of the variable (${DEFAULT_VARIABLE})` },
    'min-ttl': { type: 'string', value: 'SECONDS', help: 'the token must be good for that long' },
  },
  notes: [
    'The subject is `system` where it is left out. Signals go on to the command, and its exit code is the one of this',
    'program: 127 where there is no such command, 126 where it cannot be run. The token is got once: what runs for longer',
    'than a token lives asks an agent (`token-broker agent`).',
  ],
  examples: [
    [
      `exec helpdesk/88 -- sh -c 'printf "Authorization: Bearer %s" "$${DEFAULT_VARIABLE}" | curl -H @- URL'`,
      'one call, as staff member 88',
    ],
    ['exec wfm --env WFM_TOKEN -- ./report.py', 'a program that reads WFM_TOKEN'],
  ],
  async run(call) {
    const { connection, subject } = parseSlot(operand(call, 0));
    const variable = call.text('env') ?? DEFAULT_VARIABLE;
    const minTtl = call.text('min-ttl');
    if (!VARIABLE.test(variable)) throw new UsageError('--env is the name of a variable: letters, digits and _.');
    if (minTtl !== undefined && !WHOLE_SECONDS.test(minTtl)) {
      throw new UsageError('--min-ttl is a whole number of seconds.');
    }
    const { token } = await call.client.token(connection, {
      subject,
      ...(minTtl === undefined ? {} : { minTtlSeconds: Number(minTtl) }),
    });
    const [program = '', ...args] = call.rest;
    let child: ChildProcess | undefined;
    // Before the command starts: a signal that came in between would end this program alone, and leave the command.
    const stopPassing = passSignals((signal) => child?.kill(signal), call.terminal.stdin.isTTY === true);
    try {
      child = spawn(program, args, { stdio: 'inherit', env: { ...call.terminal.environment, [variable]: token } });
      return await ended(child);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code !== 'ENOENT' && code !== 'EACCES') throw error;
      const isThere = code === 'EACCES';
      call.say(
        `token-broker: ${isThere ? `${program} cannot be run: it is no program, or is not executable.` : `There is no command ${program}.`}`,
      );
      return isThere ? CANNOT_RUN : NOT_THERE;
    } finally {
      stopPassing();
    }
  },
};

/** Passes signals on by `send`, except those that the terminal sends the command too. Returns a function to stop. */
function passSignals(send: (signal: NodeJS.Signals) => void, hasTerminal: boolean): () => void {
  const listeners = PASSED_ON.map((signal): [NodeJS.Signals, () => void] => [
    signal,
    () => {
      if (!(hasTerminal && FROM_TERMINAL.has(signal))) send(signal);
    },
  ]);
  for (const [signal, pass] of listeners) process.on(signal, pass);
  return () => {
    for (const [signal, pass] of listeners) process.removeListener(signal, pass);
  };
}

/** Waits for the end of `child`, and gives its exit code. Rejects if it cannot be started. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(code ?? BY_SIGNAL + (signal === null ? EXIT.ok : constants.signals[signal]));
    });
  });
}
