import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionStatus, SlotStatus } from '../../broker-api.ts';
import { TokenBrokerError } from '../../error.ts';
import { type Call, type Command, operand } from '../command.ts';
import { credentialWords } from '../credential-words.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { lifeBarOf } from '../life-bar.ts';
import { durationOf, tableOf } from '../table.ts';
import { drawsBlocks, type Output, type Style } from '../terminal.ts';

const SECONDS = /^[0-9]{1,4}(?:\.[0-9]{1,3})?$/;
const WIDEST_BAR = 24;
const NARROWEST_BAR = 8;
const OTHER_COLUMNS = 110;
const CLEAR = '\u001b[H\u001b[J';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const styleByState: ReadonlyMap<string, Style> = new Map([
  ['fresh', 'green'],
  ['refreshing', 'cyan'],
  ['cooldown', 'red'],
  ['empty', 'dim'],
]);

/** `token-broker status`: the slots of connections and how much life is left in their tokens. */
export const statusCommand: Command = {
  name: 'status',
  summary: 'shows the state of slots, and the life left in their tokens',
  operands: ['[CONNECTION]'],
  options: {
    watch: { type: 'boolean', short: 'w', help: 'looks again and again, until Ctrl-C' },
    every: { type: 'string', value: 'SECONDS', help: 'how often --watch looks (2)' },
  },
  notes: [
    'The bar is full when a token is issued; where the line in it stands, it is refreshed ahead of its end.',
    'With --json --watch: one line of JSON a look.',
  ],
  examples: [
    ['status', 'all connections'],
    ['status wfm --watch', 'one, as it runs down'],
    ['status --json', 'for programs'],
  ],
  async run(call) {
    const every = call.text('every') ?? '2';
    if (!SECONDS.test(every) || Number(every) === 0) throw new UsageError('--every is a number of seconds above 0.');
    if (!call.flag('watch')) {
      const connections = await look(call);
      call.print(call.isJson ? JSON.stringify({ connections }, undefined, 2) : drawn(call, connections));
      return EXIT.ok;
    }
    await watch(call, Number(every) * 1000);
    return EXIT.ok;
  },
};

async function look(call: Call): Promise<readonly ConnectionStatus[]> {
  const only = operand(call, 0);
  const names = only === '' ? (await call.client.connections()).map(({ name }) => name) : [only];
  const statuses: ConnectionStatus[] = [];
  for (const name of names) statuses.push(await call.client.status(name));
  return statuses;
}

/** Polls until the user interrupts. A failed poll is reported, and ends the watch only if it is the first. */
async function watch(call: Call, everyMs: number): Promise<void> {
  const { stdout } = call.terminal;
  const interrupted = call.terminal.interruption();
  const redraws = stdout.isTTY === true && !call.isJson;
  let shown = await look(call);
  if (redraws) stdout.write(HIDE_CURSOR);
  try {
    for (let trouble = ''; !interrupted.aborted; ) {
      if (call.isJson) call.print(JSON.stringify({ at: new Date().toISOString(), connections: shown }));
      else {
        if (redraws) stdout.write(CLEAR);
        call.print(`${drawn(call, shown)}${trouble === '' ? '' : `\n\n${trouble}`}`);
      }
      await sleep(everyMs, undefined, { signal: interrupted }).catch(() => undefined);
      if (interrupted.aborted) break;
      try {
        shown = await look(call);
        trouble = '';
      } catch (error) {
        if (!(error instanceof TokenBrokerError)) throw error;
        if (redraws) trouble = call.paint('red', error.message);
        else call.say(error.message);
      }
    }
  } finally {
    if (redraws) stdout.write(SHOW_CURSOR);
  }
}

function drawn(call: Call, connections: readonly ConnectionStatus[]): string {
  const now = Date.now();
  const { paint } = call;
  const titles = ['CONNECTION', 'SUBJECT', 'STATE', 'LIFE LEFT', '', 'REFRESH IN', 'GEN', 'LAST ERROR'];
  const rows = connections.flatMap(({ name, slots }) =>
    slots.length === 0
      ? [[name, paint('dim', '-'), paint('dim', 'never used')]]
      : slots.map((slot, index) => [index === 0 ? paint('bold', name) : '', ...cellsOf(call, slot, now)]),
  );
  const table = tableOf([titles.map((title) => (title === '' ? '' : paint('dim', title))), ...rows]);
  const notes = connections.flatMap((connection) => notesOf(connection, now, paint));
  return [table, ...notes].join('\n');
}

function notesOf(connection: ConnectionStatus, now: number, paint: Call['paint']): readonly string[] {
  const { name, kept_secret: kept, slots } = connection;
  return [
    ...(kept === undefined
      ? []
      : [paint('dim', `${name}: the broker keeps the next refresh token in the secret ${kept}`)]),
    ...slots.flatMap(({ subject, last_error: failed, warning }) => [
      ...(failed?.evidence === undefined ? [] : [`${name} ${subject}: ${failed.code}, by`, `  ${failed.evidence}`]),
      ...(warning === undefined ? [] : [`${name} ${subject}: ${warning}`]),
    ]),
    ...credentialWords(connection, now),
  ];
}

/** Width of the bar: the room that the other columns leave. */
function barWidthOf({ columns = WIDEST_BAR + OTHER_COLUMNS }: Output): number {
  return Math.min(WIDEST_BAR, Math.max(NARROWEST_BAR, columns - OTHER_COLUMNS));
}

function cellsOf({ terminal, paint }: Call, slot: SlotStatus, now: number): readonly string[] {
  const { subject, state, expires_at: expiresAt, refresh_at: refreshAt, generation, last_error: failed } = slot;
  const blocks = drawsBlocks(terminal.stdout, terminal.environment);
  const until = (time: string | null) => (time === null ? '-' : durationOf(Date.parse(time) - now));
  const refreshIn = until(refreshAt);
  return [
    subject,
    paint(styleByState.get(state) ?? 'bold', state),
    lifeBarOf(slot, { now, paint, blocks, width: barWidthOf(terminal.stdout) }),
    until(expiresAt),
    refreshIn === 'over' ? 'due' : refreshIn,
    String(generation),
    failed === null
      ? ''
      : `${paint('red', failed.code)} ${durationOf(Math.max(1000, now - Date.parse(failed.at)))} ago`,
  ];
}
