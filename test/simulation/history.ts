import type { SlotRecord } from '../../functions/core/slot/record.ts';
import { describeLogins } from './invariants-of-logins.ts';
import type { Run, Violation } from './run.ts';

const LINES = 60;

/** Lists the happenings up to a violation, a short line each, oldest first; times in seconds since the first action. */
export function historyOf(run: Run, violation: Violation): string[] {
  const { world, actions } = run;
  const start = actions[0]?.at ?? world.time.now();
  const lines: { readonly at: number; readonly text: string }[] = [
    ...actions.map(({ at, what }) => ({ at, text: `* ${what}` })),
    ...world.writes.map(({ at, by, operation, slot, after }) => ({
      at,
      text: `  ${by} ${operation} ${slot.connection}/${slot.subject}: ${shortRecord(after)}`,
    })),
    ...world.loginsWrites.map(({ at, by, connection, after }) => ({
      at,
      text: `  ${by} writes the logins of ${connection}: ${describeLogins(after)}`,
    })),
    ...world.ledger.flatMap(({ kind, at, endedAt, process, connection, subject, outcome, issued }) => [
      { at, text: `  ${process} sends a ${kind} for ${connection}/${subject}` },
      ...(endedAt === undefined
        ? []
        : [{ at: endedAt, text: `  ${process} hears ${outcome} ${issued?.hash.slice(0, 12) ?? ''}` }]),
    ]),
    ...world.calls.flatMap(({ at, endedAt, process, connection, subject, status }) => [
      { at, text: `  ${process} forwards a call for ${connection}/${subject}` },
      ...(endedAt === undefined ? [] : [{ at: endedAt, text: `  ${process} hears ${status ?? 'nothing'}` }]),
    ]),
    ...world.answers.map(({ answeredAt, instance, request, handOut, error }) => ({
      at: answeredAt,
      text: `  ${instance} answers ${request.requestId} for ${request.slot.connection}/${request.slot.subject}: ${
        handOut === undefined
          ? error
          : `${handOut.source} ${handOut.token.generation} ${handOut.token.hash.slice(0, 12)}`
      }`,
    })),
  ];
  const before = lines.sort((one, other) => one.at - other.at);
  const clock = (at: number) => `${((at - start) / 1000).toFixed(3).padStart(12)} `;
  const { isWithinSkew, connections } = run.scenario;
  return [
    `clocks ${isWithinSkew ? 'within' : 'beyond'} their bound; ${connections.map((each) => JSON.stringify(settingsOf(each))).join(' ')}`,
    ...before.slice(-LINES).map(({ at, text }) => clock(at) + text),
    `${clock(violation.at)}! invariant ${violation.invariant}: ${violation.what}`,
  ];
}

function settingsOf(connection: Run['scenario']['connections'][number]) {
  const { name, minTtlSeconds, memorySeconds, timeoutSeconds, renewalCooldownSeconds, idleSeconds } = connection;
  return { name, minTtlSeconds, memorySeconds, timeoutSeconds, renewalCooldownSeconds, idleSeconds };
}

function shortRecord(record: SlotRecord | undefined): string {
  if (record === undefined) return 'gone';
  const { generation, tries, lease, failure, refusedVersion, rejectedGeneration } = record;
  return [
    `gen ${generation}`,
    `tries ${tries}`,
    ...(lease === undefined ? [] : [`lease ${lease.id}`]),
    ...(failure === undefined ? [] : [failure.code]),
    ...(refusedVersion === undefined ? [] : [`refused ${refusedVersion}`]),
    ...(rejectedGeneration === 0 ? [] : [`rejected ${rejectedGeneration}`]),
  ].join(', ');
}
