import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BrokerApi, SlotName } from '../broker-api.ts';
import { TokenBrokerError } from '../error.ts';
import { shortHashOf } from '../hand-out.ts';
import { type SpanName, spanNamed, spans } from './history.ts';
import { PageRequestError, type Posted, postedText, readPosted, sendJson } from './page-request.ts';
import { type HandOutQuery, type Past, TOKEN_HASH } from './past.ts';
import { RUNBOOKS, readRunbook } from './runbooks.ts';
import { SITE_FILES, sendSiteFile } from './site-files.ts';
import { createSlotActions } from './slot-actions.ts';
import { createState, type StateSources } from './state.ts';

/** Serves one route of the page. */
export type Page = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const ANY_NAME = /^[^/]{1,64}$/;

/**
 * Creates the page and the endpoints that work with every broker, by `METHOD /path`. `slotIn` reads the slot of a
 * button; the default accepts any name and leaves the check to the broker.
 */
export function createDashboardPages({
  api,
  slotIn = anySlot,
  past,
  ...sources
}: StateSources & {
  readonly api: BrokerApi;
  readonly past: Past;
  readonly slotIn?: (posted: Posted) => SlotName;
}): ReadonlyMap<string, Page> {
  const actions = createSlotActions(api);
  return new Map<string, Page>([
    ['GET /', (_request, response) => sendSiteFile(response, 'index.html')],
    ...SITE_FILES.map((name): [string, Page] => [
      `GET /local/${name}`,
      (_request, response) => sendSiteFile(response, name),
    ]),
    ['GET /local/state', answering(createState(api, sources))],
    ['GET /local/history', answering(async (request) => past.history(spanIn(request)))],
    ...RUNBOOKS.map((name): [string, Page] => [`GET /local/runbooks/${name}`, answering(() => readRunbook(name))]),
    ...pressed({
      'POST /local/audit': async (posted) => ({ records: await past.handOuts(queryIn(posted)) }),
      'POST /local/hand-out': (posted) => actions.handOut(slotIn(posted)),
      'POST /local/reject': (posted) => actions.reject(slotIn(posted)),
      'POST /local/purge': (posted) => actions.purge(slotIn(posted)),
    }),
  ]);
}

/** Turns button actions into pages for the page alone: a request from elsewhere is refused before the action. */
export function pressed(
  acts: Readonly<Record<string, (posted: Posted) => Promise<unknown>>>,
): readonly (readonly [string, Page])[] {
  return Object.entries(acts).map(([key, act]) => [key, answering(async (request) => act(await readPosted(request)))]);
}

function anySlot(posted: Posted): SlotName {
  return {
    connection: postedText(posted, 'connection', ANY_NAME),
    subject: postedText(posted, 'subject', ANY_NAME),
  };
}

/** Reads the span of a history; an hour where none is named. Throws `PageRequestError` 400 for another. */
function spanIn({ url = '' }: IncomingMessage): SpanName {
  const asked = new URLSearchParams(url.split('?')[1]).get('span');
  const span = asked === null ? 'hour' : spanNamed(asked);
  if (span === undefined) throw new PageRequestError(400, '`span` is hour, day or week.');
  return span;
}

const ANY_TEXT = /^\P{Cc}{0,200}$/u;
const MOST_RECORDS = 200;

/** Reads a question about hand-outs; an empty text leaves its part open. Throws `PageRequestError` 400. */
function queryIn(posted: Posted): HandOutQuery {
  const text = (name: string, pattern = ANY_TEXT) =>
    posted[name] === '' ? undefined : postedText(posted, name, pattern);

  const span = spanNamed(postedText(posted, 'span', ANY_TEXT));
  if (span === undefined) throw new PageRequestError(400, '`span` is hour, day or week.');
  const tokenHash = text('token', TOKEN_HASH);
  return {
    since: Date.now() - spans[span].seconds * 1000,
    connection: text('connection'),
    subject: text('subject'),
    caller: text('caller'),
    tokenHash: tokenHash && shortHashOf(tokenHash),
    limit: MOST_RECORDS,
  };
}

/** Answers JSON, and request and transport errors as `{message}`; throws all other errors. */
function answering(work: (request: IncomingMessage) => Promise<unknown>): Page {
  return async (request, response) => {
    try {
      sendJson(response, 200, await work(request));
    } catch (error) {
      const { status, message } = refusalOf(error);
      sendJson(response, status, { message });
    }
  };
}

function refusalOf(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof PageRequestError) return error;
  if (!(error instanceof TokenBrokerError)) throw error;
  if (error.kind === 'usage') return { status: 400, message: error.detail };
  return { status: 502, message: error.kind === 'problem' ? error.message : error.detail };
}
