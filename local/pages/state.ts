import { isBrokerErrorCode } from '../../functions/core/errors.ts';
import type { Activity } from './activity.ts';
import type { BrokerApi } from './broker-api.ts';
import type { DemoControl } from './demo-faults.ts';
import { LocalRequestError } from './local-request.ts';
import { remedyByCode } from './remedies.ts';

/** What the page can do beside what every broker can. */
export type Ability = 'herd' | 'refresh';

/** Subjects to offer, and whether any staff PKID may be asked for beside them. */
export interface OfferedSubjects {
  readonly subjects: readonly string[];
  readonly any_staff: boolean;
}

type Members = Readonly<Record<string, unknown>>;

/** Puts together what the page draws, from the broker's own API and what is known beside it. Never a token. */
export function createState(parts: {
  readonly api: BrokerApi;
  readonly abilities: readonly Ability[];
  /** Which subjects a connection serves, and some to offer. */
  readonly subjectsOf: (connection: string) => OfferedSubjects;
  readonly activity: Activity;
  readonly controls: ReadonlyMap<string, DemoControl>;
}): () => Promise<Members> {
  const { api, activity, controls } = parts;

  async function read(path: string): Promise<Members> {
    const { status, json } = await api({ method: 'GET', path });
    if (status !== 200)
      throw new LocalRequestError(502, `The broker answered ${status} ${String(json['code'] ?? '')}.`);
    return json;
  }

  async function connection(name: string): Promise<Members> {
    const control = controls.get(name);
    const [status, fault] = await Promise.all([read(`/connections/${name}`), control?.current()]);
    const { slots, next, ...summary } = status;
    return {
      ...summary,
      slots: listOf(slots).map(withRemedy),
      more_slots: next !== undefined,
      ...parts.subjectsOf(name),
      counts: activity.countsOf(name),
      ...(control === undefined
        ? {}
        : {
            demo: {
              fault: fault ?? null,
              faults: control.faults.map(({ name: id, label }) => ({ name: id, label })),
              call: `GET ${control.callPath}`,
            },
          }),
    };
  }

  return async () => {
    const { connections } = await read('/connections');
    const names = listOf(connections).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
    return {
      now: new Date().toISOString(),
      abilities: parts.abilities,
      connections: await Promise.all(names.map(connection)),
      events: activity.events(),
      links: ['docs'],
    };
  };
}

function withRemedy(slot: Members): Members {
  const error = slot['last_error'];
  if (!isMembers(error)) return slot;
  const code = String(error['code']);
  return { ...slot, last_error: { ...error, remedy: isBrokerErrorCode(code) ? remedyByCode[code] : '' } };
}

function listOf(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
