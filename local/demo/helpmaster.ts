import { timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { type Answer, jsonAnswer } from './answer.ts';
import { type DemoService, type DemoUpstream, type Judged, startDemoServer } from './demo-upstream.ts';
import { forcedAnswer, withBodyFault, withTokenFault } from './faults.ts';
import { type HelpmasterKnobs, helpmasterKnobDefaults, helpmasterKnobs } from './helpmaster-knobs.ts';
import { createHelpmasterTokens, SYSTEM_USER_ID } from './helpmaster-tokens.ts';
import { createKnobStore } from './knobs.ts';
import { type DemoRequest, echoOf, jsonBody, mediaType } from './request.ts';
import { answerPage, isPage } from './swagger-page.ts';
import type { TokenKey } from './token-key.ts';

export { demoHelpmasterSecret, type HelpmasterKnobs } from './helpmaster-knobs.ts';

const SYSTEM_LOGIN = '/user/getsystemtoken';
const USER_LOGIN = '/user/gettoken';

const keyBody = z.object({ apiKey: z.string().min(1) });
const userBody = z.object({ loggedInUserPKID: z.int() });

/**
 * Starts a HelpMaster WebAPI on loopback: an API key in, a 24-hour JWT out, as the system or one staff member.
 *
 * Follows H3 to H8, H10, H11, H16, H19 and H20; behaviour that the vendor leaves open is a knob. Swagger UI is at
 * `/swagger`.
 */
export function startDemoHelpmaster(
  options: { port?: number; knobs?: Partial<HelpmasterKnobs>; key?: TokenKey } = {},
): Promise<DemoUpstream<HelpmasterKnobs>> {
  const tokens = createHelpmasterTokens(options.key);
  const store = createKnobStore<HelpmasterKnobs>({
    schema: helpmasterKnobs,
    defaults: helpmasterKnobDefaults,
    overrides: options.knobs,
    revokeAll: tokens.revokeAll,
  });
  const serverNow = () => Date.now() + store.read().clockOffsetSeconds * 1000;

  async function login(request: DemoRequest): Promise<Judged> {
    const knobs = store.read();
    const forSystem = loginPath(request.path) === SYSTEM_LOGIN;
    const sent = jsonBody(request);
    const asked = userBody.safeParse(sent);
    const pkid = asked.success ? String(asked.data.loggedInUserPKID) : undefined;
    const subject = forSystem ? 'system' : ledgerSubject(pkid);
    const answer =
      forcedAnswer(knobs, knobs.loginStatus) ??
      refusal(request, sent, forSystem) ??
      (await grant(forSystem ? SYSTEM_USER_ID : pkid));
    return { answer: withBodyFault(knobs, answer), subject };
  }

  /** Creates the answer to a login that must be refused; undefined for a good one. */
  function refusal(request: DemoRequest, sent: unknown, forSystem: boolean): Answer | undefined {
    const knobs = store.read();
    if (forSystem && !knobs.systemTokenSupported) return refused(404, 'No such endpoint in this version.');
    if (mediaType(request) !== 'application/json') return refused(415, 'The body must be application/json.');
    const body = keyBody.safeParse(sent);
    if (!body.success) return refused(400, 'The body must be a JSON object with an apiKey.');
    if (knobs.locked) return refused(401, 'The API key is locked.');
    const isCorrect = sameText(body.data.apiKey, knobs.credential.apiKey);
    store.noteLogin(isCorrect);
    if (!isCorrect) return refused(401, 'The API key is not valid.');
    return knobs.suspended ? refused(401, 'The API key is suspended.') : undefined;
  }

  async function grant(userId: string | undefined): Promise<Answer> {
    const knobs = store.read();
    if (userId === undefined) return refused(400, 'loggedInUserPKID must be a whole number.');
    const known = userId === SYSTEM_USER_ID || knobs.staff.includes(userId);
    if (known) return tokenAnswer(userId);
    switch (knobs.unknownSubject) {
      case 'no-token':
        return jsonAnswer(200, {});
      case 'other-user':
        return tokenAnswer(knobs.staff.find((pkid) => pkid !== userId) ?? SYSTEM_USER_ID);
      default:
        return refused(knobs.unknownSubject, 'No such staff member.');
    }
  }

  async function tokenAnswer(userId: string): Promise<Answer> {
    const knobs = store.read();
    const token = await tokens.issue(userId, knobs, serverNow());
    return jsonAnswer(200, { token: withTokenFault(knobs, token) });
  }

  function refused(status: number, failMessage: string): Answer {
    return jsonAnswer(store.read().bodyFailure ? 200 : status, { success: false, failMessage });
  }

  async function call(request: DemoRequest): Promise<Judged> {
    const knobs = store.read();
    const token = /^Bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const userId = token === undefined ? undefined : await tokens.userOf(token, serverNow());
    const subject = userId === SYSTEM_USER_ID ? 'system' : (userId ?? 'unknown');
    const forced = forcedAnswer(knobs, knobs.callStatus);
    if (forced !== undefined) return { answer: forced, subject };
    if (userId === undefined) {
      const challenge = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
      return { answer: jsonAnswer(401, { success: false, failMessage: 'Not authorised.' }, challenge), subject };
    }
    return { answer: gatedAnswer(request, userId), subject };
  }

  const service: DemoService = {
    kindOf(method, path) {
      if (isPage(path)) return 'page';
      if (loginPath(path) === undefined) return 'call';
      return method === 'POST' ? 'login' : 'page';
    },
    login,
    call,
    page: async (request) =>
      loginPath(request.path) === undefined
        ? answerPage(request)
        : jsonAnswer(405, { success: false, failMessage: 'Use POST.' }, { Allow: 'POST' }),
  };
  return startDemoServer({ port: options.port ?? 0, basePath: '', store, service });
}

/** Reads the login endpoint of a path, in any case and with or without a last slash (H4). */
function loginPath(path: string): typeof SYSTEM_LOGIN | typeof USER_LOGIN | undefined {
  const plain = path.toLowerCase().replace(/\/$/, '');
  return plain === SYSTEM_LOGIN || plain === USER_LOGIN ? plain : undefined;
}

/**
 * Chooses the ledger's subject. Only a possible PKID is recorded, since a caller may send anything, even a credential.
 */
function ledgerSubject(pkid: string | undefined): string {
  return pkid !== undefined && /^[1-9][0-9]{0,9}$/.test(pkid) ? pkid : 'unknown';
}

/** Answers a gated call with its user (H7, H8), and echoes the request. */
function gatedAnswer(request: DemoRequest, userId: string): Answer {
  const name = userId === SYSTEM_USER_ID ? 'HelpMaster System' : `Staff member ${userId}`;
  const echo = { actingAs: { userid: userId, name }, ...echoOf(request) };
  const route = `${request.method} ${request.path.toLowerCase()}`;
  switch (route) {
    case 'GET /jobs/myopenjobs':
      return jsonAnswer(200, { success: true, ...echo, jobs: [{ jobPKID: 1001, subject: 'Demo job', owner: name }] });
    case 'POST /jobs/logjobfromjobtemplate':
      return created(request, echo, { jobPKID: 1002 });
    case 'POST /clients/createnewclient':
      return created(request, echo, { clientPKID: 2001 });
    default:
      return jsonAnswer(200, { success: true, ...echo });
  }
}

/** Answers a creation. A business failure is a 200 with an error in it (H19). */
function created(request: DemoRequest, echo: Record<string, unknown>, made: Record<string, number>): Answer {
  const body = jsonBody(request);
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (isObject) return jsonAnswer(200, { success: true, ...echo, ...made });
  return jsonAnswer(200, { success: false, failMessage: 'The body must be a JSON object.', ...echo });
}

function sameText(left: string, right: string): boolean {
  const leftBytes = Buffer.from(left);
  const rightBytes = Buffer.from(right);
  return leftBytes.length === rightBytes.length && timingSafeEqual(leftBytes, rightBytes);
}
