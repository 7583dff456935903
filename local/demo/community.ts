import { type Answer, jsonAnswer } from './answer.ts';
import { type CommunityKnobs, communityKnobDefaults, communityKnobs } from './community-knobs.ts';
import { readLoginParameter, splitLogin } from './community-login.ts';
import { type CommunityToken, createCommunityTokens } from './community-tokens.ts';
import {
  type DemoService,
  type DemoUpstream,
  type Judged,
  type RequestKind,
  startDemoServer,
} from './demo-upstream.ts';
import { forcedAnswer, withBodyFault, withTokenFault } from './faults.ts';
import { createKnobStore } from './knobs.ts';
import { type DemoRequest, echoOf } from './request.ts';
import type { TokenKey } from './token-key.ts';

export { type CommunityKnobs, demoCommunitySecret } from './community-knobs.ts';

const BASE_PATH = '/CommunityWebApi/api';
const TOKEN_HEADER = 'WFMSGAPIKEY';
const OUT_OF_ORDER_DELAY_MS = 100;

/** Slide header of one answer. */
type SlideHeader = Pick<Answer, 'headers' | 'rawHeaderLines'>;

/**
 * Starts a CommunityWebAPI on loopback: `username|password` in, a 20-minute token out, renewed by every gated answer.
 *
 * Follows C1 to C19; behaviour that the vendor leaves open is a knob. A gated call with a good token slides whatever
 * its status, even a forced 401 (C15); one with a bad token gets 401 and no token.
 */
export function startDemoCommunity(
  options: { port?: number; knobs?: Partial<CommunityKnobs>; key?: TokenKey } = {},
): Promise<DemoUpstream<CommunityKnobs>> {
  const tokens = createCommunityTokens(options.key);
  /** Gated calls since the knobs were last changed. */
  let gatedCalls = { under: communityKnobDefaults, count: 0 };
  const store = createKnobStore<CommunityKnobs>({
    schema: communityKnobs,
    defaults: communityKnobDefaults,
    overrides: options.knobs,
    revokeAll: tokens.revokeAll,
  });
  const serverNow = () => Date.now() + store.read().clockOffsetSeconds * 1000;
  const newExpiry = () => serverNow() + store.read().lifetimeSeconds * 1000;

  async function login(request: DemoRequest): Promise<Judged> {
    const knobs = store.read();
    const l = readLoginParameter(request, knobs.loginTransports);
    const answer = forcedAnswer(knobs, knobs.loginStatus) ?? refusal(l) ?? grant();
    return { answer: withBodyFault(knobs, answer), subject: l === undefined ? 'unknown' : 'system' };
  }

  function refusal(l: string | undefined): Answer | undefined {
    const knobs = store.read();
    if (knobs.locked) return refused('The user account is locked.', l);
    const parts = l === undefined ? undefined : splitLogin(l, knobs.pipeSplit);
    const { username, password } = knobs.credential;
    const isCorrect = parts?.username === username && parts.password === password;
    store.noteLogin(isCorrect);
    if (isCorrect) return undefined;
    return refused(l === undefined ? 'Parameter l is missing.' : 'The user name or password is not valid.', l);
  }

  /** Creates the answer to wrong credentials, in one of the forms that a server may use (C12). */
  function refused(reason: string, l: string | undefined): Answer {
    const { failure, envelope, echoCredentialInMessage } = store.read();
    const message = echoCredentialInMessage && l !== undefined ? `${reason} (${l})` : reason;
    const trace = `CommunityWebApi.LoginException: ${message}\r\n   at CommunityWebApi.Controllers.Login(String l)`;
    if (failure === 500) {
      return jsonAnswer(500, {
        Message: 'An error has occurred.',
        ExceptionMessage: message,
        ExceptionType: 'CommunityWebApi.LoginException',
        StackTrace: trace,
      });
    }
    const status = failure === 'success-false' ? 200 : failure;
    const data = envelope ? { Data: null } : {};
    return jsonAnswer(status, { Success: false, ...data, Message: message, ExceptionResult: trace });
  }

  function grant(): Answer {
    const knobs = store.read();
    const { agentId, userRole, userName, timeZone, language } = knobs;
    const authToken = withTokenFault(knobs, tokens.begin(newExpiry()));
    const attributes = { agentId, userRole, userName, timeZone, language, authToken };
    return jsonAnswer(200, knobs.envelope ? enveloped(attributes) : attributes);
  }

  async function call(request: DemoRequest): Promise<Judged> {
    const knobs = store.read();
    gatedCalls = { under: knobs, count: gatedCalls.under === knobs ? gatedCalls.count + 1 : 1 };
    const delayMs = knobs.outOfOrder && gatedCalls.count % 2 === 1 ? OUT_OF_ORDER_DELAY_MS : 0;
    const sent = request.headers['wfmsgapikey'];
    const token = typeof sent === 'string' ? openToken(sent) : undefined;
    const subject = token === undefined ? 'unknown' : 'system';
    const forced = forcedAnswer(knobs, knobs.callStatus);
    if (typeof sent !== 'string' || token === undefined) {
      const message = { Success: false, Data: null, Message: 'Not authorised.', ExceptionResult: null };
      return { answer: forced ?? jsonAnswer(401, message), subject, delayMs };
    }
    const answer = forced ?? gatedAnswer(request, knobs);
    if (knobs.redirectTo !== null) return { answer, subject, delayMs };
    const slide = slideHeader(sent, token);
    const slid = knobs.slide !== 'missing' && knobs.slide !== 'empty';
    return {
      answer: { ...answer, ...slide, headers: { ...answer.headers, ...slide.headers } },
      subject,
      slid,
      delayMs,
    };
  }

  function openToken(text: string): CommunityToken | undefined {
    const { tokensOverlap, maxSlides } = store.read();
    return tokens.open(text, { now: serverNow(), tokensOverlap, maxSlides });
  }

  /** Issues the next token (C15) and places it as the `slide` knob says (C16). */
  function slideHeader(sent: string, token: CommunityToken): SlideHeader {
    const next = () => tokens.slide(token, newExpiry());
    switch (store.read().slide) {
      case 'normal':
        return { headers: { [TOKEN_HEADER]: next() } };
      case 'missing':
        return { headers: {} };
      case 'empty':
        return { headers: { [TOKEN_HEADER]: '' } };
      case 'same':
        return { headers: { [TOKEN_HEADER]: sent } };
      case 'repeated': {
        const slid = next();
        return { headers: { [TOKEN_HEADER]: [slid, slid] } };
      }
      case 'conflicting':
        return { headers: { [TOKEN_HEADER]: [next(), next()] } };
      case 'crlf':
        return { headers: {}, rawHeaderLines: foldedHeader(next()) };
    }
  }

  const service: DemoService = {
    kindOf,
    login,
    call,
    page: async (request) => openPage(request),
  };
  return startDemoServer({ port: options.port ?? 0, basePath: BASE_PATH, store, service });
}

/** Reads the path under the base path, in lower case without a last slash: IIS ignores case. */
function entryPoint(path: string): string | undefined {
  const plain = path.toLowerCase();
  const prefix = `${BASE_PATH.toLowerCase()}/`;
  return plain.startsWith(prefix) ? plain.slice(prefix.length).replace(/\/$/, '') : undefined;
}

/** Classifies a request: all paths but the login and the version checker are gated (C1). */
function kindOf(method: string, path: string): RequestKind {
  switch (entryPoint(path)) {
    case undefined:
    case '':
    case 'version':
      return 'page';
    case 'authenticateex':
      return method === 'POST' ? 'login' : 'page';
    default:
      return 'call';
  }
}

function openPage(request: DemoRequest): Answer {
  switch (entryPoint(request.path)) {
    case 'version':
      return jsonAnswer(200, enveloped('demo 1.0'));
    case 'authenticateex':
      return jsonAnswer(405, { Message: 'Use POST.' }, { Allow: 'POST' });
    default:
      return jsonAnswer(404, { Message: `The API is at ${BASE_PATH}.` });
  }
}

function gatedAnswer(request: DemoRequest, knobs: Readonly<CommunityKnobs>): Answer {
  const actingAs = { agentId: knobs.agentId, userName: knobs.userName };
  return jsonAnswer(200, { success: true, actingAs, ...echoOf(request) });
}

function enveloped(data: unknown): Record<string, unknown> {
  return { Success: true, Data: data, Message: null, ExceptionResult: null };
}

/**
 * Builds header lines with CR LF inside the token: obsolete folding, which a strict parser refuses and a lax one joins.
 */
function foldedHeader(token: string): string[] {
  const middle = Math.floor(token.length / 2);
  return [`${TOKEN_HEADER}: ${token.slice(0, middle)}`, ` ${token.slice(middle)}`];
}
