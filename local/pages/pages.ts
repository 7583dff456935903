import type { BrokerApi, FirstSlots, SlotName } from '../../client/broker-api.ts';
import { findHandOuts } from '../../client/cli/hand-out-log.ts';
import { historyOf } from '../../client/dashboard/history.ts';
import { PageRequestError, type Posted, postedText, sendJson } from '../../client/dashboard/page-request.ts';
import { createDashboardPages, pressed } from '../../client/dashboard/pages.ts';
import type { Past } from '../../client/dashboard/past.ts';
import { actionResult } from '../../client/dashboard/slot-actions.ts';
import { type BesideConnection, offerSubjects } from '../../client/dashboard/state.ts';
import { NAME_PATTERN } from '../../functions/configuration/fields.ts';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { SUBJECT_PATTERN } from '../../functions/core/slot/slot.ts';
import type { LocalPage } from '../gateway/gateway.ts';
import type { Activity } from './activity.ts';
import type { DemoControl } from './demo-faults.ts';
import { docsPages } from './docs-page.ts';
import type { HerdResult } from './herd.ts';

/** Dependencies of the page of `npm start`. */
export interface PageParts {
  readonly api: BrokerApi;
  /** Forwards one GET to the upstream through the broker, and returns the upstream's status. */
  readonly call: (slot: SlotName, path: string) => Promise<number>;
  readonly connections: Readonly<Record<string, Connection>>;
  readonly activity: Activity;
  readonly controls: ReadonlyMap<string, DemoControl>;
  readonly herd: (slot: SlotName) => Promise<HerdResult>;
  /** Makes a slot due for refresh. False if the slot holds no token. */
  readonly refresh: (connection: Connection, subject: string) => Promise<boolean>;
}

const FAULT_NAME = /^[a-z][a-z-]{0,30}$/;

/**
 * Creates the local gateway's own pages, by `METHOD /path`: the page, its endpoints, the API's document and `/docs`.
 */
export function createPages(parts: PageParts): ReadonlyMap<string, LocalPage> {
  const { connections, controls, activity } = parts;

  function connectionIn(posted: Posted): Connection {
    const name = postedText(posted, 'connection', NAME_PATTERN);
    const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
    if (connection === undefined) throw new PageRequestError(404, 'There is no such connection.');
    return connection;
  }

  function slotIn(posted: Posted): SlotName {
    return { connection: connectionIn(posted).name, subject: postedText(posted, 'subject', SUBJECT_PATTERN) };
  }

  function controlIn(posted: Posted): DemoControl {
    const control = controls.get(connectionIn(posted).name);
    if (control === undefined) throw new PageRequestError(404, 'This connection is not on a demo upstream.');
    return control;
  }

  function besideConnection({ name, subjects }: FirstSlots): BesideConnection {
    const control = controls.get(name);
    const counted = {
      ...offerSubjects(subjects, control?.users ?? []),
      counts: activity.countsOf(name),
    };
    if (control === undefined) return counted;
    const { faults, callPath } = control;
    const demo = {
      fault: control.current() ?? null,
      faults: faults.map(({ name: id, label }) => ({ name: id, label })),
      call: `GET ${callPath}`,
    };
    return { ...counted, demo };
  }

  const shared = createDashboardPages({
    api: parts.api,
    slotIn,
    past: pastIn(activity),
    besideConnection,
    beside: () => ({ abilities: ['herd', 'refresh'], links: ['docs'], events: activity.events() }),
  });
  const own = pressed({
    'POST /local/call': async (posted) => {
      const { callPath } = controlIn(posted);
      const slot = slotIn(posted);
      return actionResult(async () => ({ status: await parts.call(slot, callPath) }));
    },
    'POST /local/herd': async (posted) => parts.herd(slotIn(posted)),
    'POST /local/refresh': async (posted) => ({
      ok: await parts.refresh(connectionIn(posted), slotIn(posted).subject),
    }),
    'POST /local/fault': async (posted) => {
      const control = controlIn(posted);
      const name = postedText(posted, 'fault', FAULT_NAME);
      const fault = control.faults.find((known) => known.name === name);
      if (fault === undefined) throw new PageRequestError(400, 'There is no such fault.');
      control.set(fault);
      return { ok: true };
    },
  });
  // For `token-broker audit`; the audit holds no token.
  const audit: LocalPage = async (_request, response) => sendJson(response, 200, { records: activity.handOuts() });
  return new Map<string, LocalPage>([...shared, ...own, ['GET /local/audit', audit], ...docsPages()]);
}

const RUN_NOTE = 'Counted by this broker since its start, for 24 hours at most.';

/** The past that this run has counted and recorded. */
function pastIn(activity: Activity): Past {
  return {
    history: async (span) => historyOf(activity.samples(), { span, now: Date.now(), note: RUN_NOTE }),
    handOuts: async (query) => findHandOuts(activity.handOuts(), query),
  };
}
