import type { IncomingMessage, ServerResponse } from 'node:http';
import { NAME_PATTERN } from '../../functions/configuration/fields.ts';
import type { Connection } from '../../functions/core/connection.ts';
import { SUBJECT_PATTERN, SYSTEM } from '../../functions/core/slot.ts';
import type { LocalPage } from '../gateway/gateway.ts';
import type { Activity } from './activity.ts';
import type { BrokerApi } from './broker-api.ts';
import type { DemoControl } from './demo-faults.ts';
import { docsPages } from './docs-page.ts';
import type { HerdResult } from './herd.ts';
import { LocalRequestError, postedText, readPosted, sendJson } from './local-request.ts';
import { SITE_FILES, sendSiteFile } from './site-files.ts';
import { createSlotActions, type NamedSlot } from './slot-actions.ts';
import { createState, type OfferedSubjects } from './state.ts';

/** What the page stands on. */
export interface PageParts {
  readonly api: BrokerApi;
  readonly connections: Readonly<Record<string, Connection>>;
  readonly activity: Activity;
  readonly controls: ReadonlyMap<string, DemoControl>;
  readonly herd: (slot: NamedSlot) => Promise<HerdResult>;
  /** False where the slot holds no token. */
  readonly refresh: (connection: Connection, subject: string) => Promise<boolean>;
}

type Posted = Readonly<Record<string, unknown>>;

const FAULT_NAME = /^[a-z][a-z-]{0,30}$/;
/** Staff members that the demo HelpMaster knows. */
const DEMO_STAFF = ['88', '42', '1'];

/** The pages that only the local gateway has, by `METHOD /path`: the page, its endpoints, the API's document and `/docs`. */
export function createPages(parts: PageParts): ReadonlyMap<string, LocalPage> {
  const { connections, controls } = parts;
  const actions = createSlotActions(parts.api);
  const state = createState({
    ...parts,
    abilities: ['herd', 'refresh'],
    subjectsOf: (name) => subjectsOf(connections[name], controls.has(name)),
  });

  function connectionIn(posted: Posted): Connection {
    const name = postedText(posted, 'connection', NAME_PATTERN);
    const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
    if (connection === undefined) throw new LocalRequestError(404, 'There is no such connection.');
    return connection;
  }

  function slotIn(posted: Posted): NamedSlot {
    return { connection: connectionIn(posted).name, subject: postedText(posted, 'subject', SUBJECT_PATTERN) };
  }

  function controlIn(posted: Posted): DemoControl {
    const control = controls.get(connectionIn(posted).name);
    if (control === undefined) throw new LocalRequestError(404, 'This connection is not on a demo upstream.');
    return control;
  }

  const posts: Readonly<Record<string, (posted: Posted) => Promise<unknown>>> = {
    'POST /local/hand-out': (posted) => actions.handOut(slotIn(posted)),
    'POST /local/reject': (posted) => actions.reject(slotIn(posted)),
    'POST /local/purge': (posted) => actions.purge(slotIn(posted)),
    'POST /local/call': (posted) => actions.call(slotIn(posted), controlIn(posted).callPath),
    'POST /local/herd': (posted) => parts.herd(slotIn(posted)),
    'POST /local/refresh': async (posted) => ({
      ok: await parts.refresh(connectionIn(posted), slotIn(posted).subject),
    }),
    'POST /local/fault': async (posted) => {
      const control = controlIn(posted);
      const name = postedText(posted, 'fault', FAULT_NAME);
      const fault = control.faults.find((known) => known.name === name);
      if (fault === undefined) throw new LocalRequestError(400, 'There is no such fault.');
      await control.set(fault);
      return { ok: true };
    },
  };

  return new Map<string, LocalPage>([
    ['GET /', (_request, response) => sendSiteFile(response, 'index.html')],
    ...SITE_FILES.map((name): [string, LocalPage] => [
      `GET /local/${name}`,
      (_request, response) => sendSiteFile(response, name),
    ]),
    ['GET /local/state', answering(state)],
    ...Object.entries(posts).map(([key, act]): [string, LocalPage] => [
      key,
      answering(async (request) => act(await readPosted(request))),
    ]),
    ...docsPages(),
  ]);
}

function answering(work: (request: IncomingMessage) => Promise<unknown>): LocalPage {
  return async (request: IncomingMessage, response: ServerResponse) => {
    try {
      sendJson(response, 200, await work(request));
    } catch (error) {
      if (!(error instanceof LocalRequestError)) throw error;
      sendJson(response, error.status, { message: error.message });
    }
  };
}

function subjectsOf(connection: Connection | undefined, isDemo: boolean): OfferedSubjects {
  if (connection === undefined) return { subjects: [], any_staff: false };
  const { system, staff } = connection.subjects;
  const listed = Array.isArray(staff) ? staff : [];
  const known = staff === true && isDemo ? DEMO_STAFF : [];
  return { subjects: [...(system ? [SYSTEM] : []), ...listed, ...known], any_staff: staff === true };
}
