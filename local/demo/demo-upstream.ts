import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readBody } from '../aws/http-body.ts';
import { closeServer, isFromLocalProgram, listenOnLoopback } from '../aws/loopback-server.ts';
import { type Answer, jsonAnswer, pause, refusalAnswer, sendAnswer } from './answer.ts';
import { createFirewall } from './firewall.ts';
import { type CommonKnobs, KnobError, type KnobStore } from './knobs.ts';
import { createLedgerBook, type Ledger } from './ledger.ts';
import { type DemoRequest, jsonBody, splitTarget } from './request.ts';

/** Running demo upstream on loopback. */
export interface DemoUpstream<Knobs> {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Base URL for a connection. */
  readonly baseUrl: string;
  /** Merges `change` and returns all knobs; throws KnobError on an unknown name or a wrong type. */
  setKnobs(change: Partial<Knobs>): Knobs;
  knobs(): Knobs;
  /** Returns the logins, slides and calls so far, the newest 10,000 of each; never a token or a credential. */
  ledger(): Ledger;
  clearLedger(): void;
  /** Stops listening and destroys every open connection. */
  close(): Promise<void>;
}

/** Kind of a request; faults apply to logins and calls only. */
export type RequestKind = 'login' | 'call' | 'page';

/** Answer to a login or a gated call, with its ledger entry. */
export interface Judged {
  readonly answer: Answer;
  readonly subject: string;
  /** True if the answer carries a token in its header. */
  readonly slid?: boolean;
  /** Delay in addition to that of the knobs. */
  readonly delayMs?: number;
}

const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/** Part that differs between the demo upstreams. */
export interface DemoService {
  kindOf(method: string, path: string): RequestKind;
  login(request: DemoRequest): Promise<Judged>;
  call(request: DemoRequest): Promise<Judged>;
  /** Answers a request that no fault applies to. */
  page(request: DemoRequest): Promise<Answer>;
}

/** Serves `service` on 127.0.0.1, with the faults of the knobs, `/__demo/knobs` and `/__demo/ledger`. */
export async function startDemoServer<Knobs extends CommonKnobs>(options: {
  readonly port: number;
  readonly basePath: string;
  readonly store: KnobStore<Knobs>;
  readonly service: DemoService;
}): Promise<DemoUpstream<Knobs>> {
  const { store, service } = options;
  const book = createLedgerBook();
  const firewall = createFirewall();

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = incoming.method ?? 'GET';
    const { path, query } = splitTarget(incoming.url ?? '/');
    // Knobs and ledger are for programs on this machine; an upstream itself checks no origin.
    if (path.startsWith('/__demo/') && !isFromLocalProgram(incoming, server)) {
      await sendPlain(response, method, refusalAnswer());
      return;
    }
    const ours = path === '/__demo/knobs' || path === '/__demo/ledger';
    const kind = ours ? 'page' : service.kindOf(method, path);
    // Reset only after the request line: the knobs must stay reachable to end the fault.
    if (kind !== 'page' && store.read().reset === 'before') {
      incoming.socket.resetAndDestroy();
      return;
    }
    const body = await readBody(incoming, BODY_LIMIT_BYTES);
    if (body === 'aborted') return;
    if (body === 'too-large') {
      await sendPlain(
        response,
        method,
        jsonAnswer(413, { message: 'The body is too large.' }, { Connection: 'close' }),
      );
      return;
    }
    const request: DemoRequest = { method, path, query, headers: incoming.headers, body };
    if (ours) await sendPlain(response, method, control(request));
    else if (kind === 'page') await sendPlain(response, method, await service.page(request));
    else await serve(kind, request, incoming, response);
  }

  async function serve(
    kind: 'login' | 'call',
    request: DemoRequest,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const knobs = store.read();
    const blocked = firewall(knobs, incoming.headers['user-agent']);
    const judged: Judged =
      blocked === undefined
        ? await (kind === 'login' ? service.login(request) : service.call(request))
        : { answer: blocked, subject: 'unknown' };
    const unanswered = knobs.hang || knobs.reset === 'after';
    const status = unanswered ? 0 : judged.answer.status;
    const { subject } = judged;
    // Recorded before any delay, so that the login counts even if the client is killed meanwhile.
    if (kind === 'login') book.login({ subject, status });
    else book.call({ subject, status, method: request.method, path: request.path });
    if (judged.slid === true) book.slide({ subject, status });

    if (knobs.hang) return;
    if (knobs.reset === 'after') {
      incoming.socket.resetAndDestroy();
      return;
    }
    const ownDelayMs = kind === 'login' ? knobs.delayLoginMs : knobs.delayCallMs;
    const delayMs = knobs.delayMs + ownDelayMs + (judged.delayMs ?? 0);
    if (!(await pause(response, delayMs))) return;
    await sendAnswer(response, judged.answer, {
      headOnly: request.method === 'HEAD',
      date: knobs.dateHeader ? dateOf(knobs) : undefined,
      dripEveryMs: knobs.slowDrip ? knobs.dripEveryMs : undefined,
    });
  }

  function control(request: DemoRequest): Answer {
    const route = `${request.method} ${request.path}`;
    switch (route) {
      case 'GET /__demo/knobs':
        return jsonAnswer(200, store.read());
      case 'PUT /__demo/knobs':
        return changeKnobs(request);
      case 'GET /__demo/ledger':
        return jsonAnswer(200, book.read());
      case 'DELETE /__demo/ledger':
        book.clear();
        return { status: 204, headers: {}, body: Buffer.alloc(0) };
      default: {
        const allow = request.path === '/__demo/knobs' ? 'GET, PUT' : 'GET, DELETE';
        return jsonAnswer(405, { error: `use ${allow}` }, { Allow: allow });
      }
    }
  }

  function changeKnobs(request: DemoRequest): Answer {
    try {
      return jsonAnswer(200, store.change(jsonBody(request)));
    } catch (error) {
      if (!(error instanceof KnobError)) throw error;
      return jsonAnswer(400, { error: error.message });
    }
  }

  const server = createServer((incoming, response) => {
    // An error of this server must not end the process.
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  const url = await listenOnLoopback(server, options.port);

  return {
    url,
    baseUrl: `${url}${options.basePath}`,
    setKnobs: (change) => structuredClone(store.change(change)),
    knobs: () => structuredClone(store.read()),
    ledger: () => book.read(),
    clearLedger: () => book.clear(),
    close: () => closeServer(server),
  };
}

/** Writes `Date` by the clock and in the form of the knobs. */
function dateOf({ clockOffsetSeconds, dateOffsetSeconds, dateForm }: CommonKnobs): string {
  const date = new Date(Date.now() + (clockOffsetSeconds + dateOffsetSeconds) * 1000);
  const imf = date.toUTCString();
  if (dateForm === 'imf') return imf;
  const [weekday = '', day = '', month = '', year = '', time = ''] = imf.split(/,? /);
  if (dateForm === 'asctime') return `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
  return `${WEEKDAYS[date.getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function sendPlain(response: ServerResponse, method: string, answer: Answer): Promise<void> {
  return sendAnswer(response, answer, {
    headOnly: method === 'HEAD',
    date: new Date().toUTCString(),
    dripEveryMs: undefined,
  });
}
