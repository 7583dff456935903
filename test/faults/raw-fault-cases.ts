import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { answer } from '../functions/http/raw-server.ts';
import { jwtOf, type Misbehaviour, replying, status, tokenAnswer } from './raw-upstream.ts';

/** One way to misbehave, and what a caller gets. */
export interface RawFault {
  readonly name: string;
  readonly misbehave: Misbehaviour;
  readonly gist: string;
  /** The least and the most of `Retry-After`, in seconds. */
  readonly retryAfter: readonly [number, number];
  /** The number of logins that the upstream read. Default: 1. */
  readonly logins?: number;
}

const SOON = [1, 1] as const;
const LONG = [29, 30] as const;
const AMBIGUOUS = [59, 60] as const;
const TIMEOUT = '504 upstream_timeout';
const UNKNOWN = '503 upstream_outcome_unknown';
const INVALID = '502 upstream_invalid_response';
const TOO_LARGE = '502 upstream_response_too_large';
const THROTTLED = '503 upstream_throttled';
const DRIP_EVERY_MS = 50;
const SOME_BYTES = 16 * 1024;

/** Faults of any upstream, at HelpMaster's login, over plain TCP. */
export const rawFaults: readonly RawFault[] = [
  row('accepts, reads and never answers', () => undefined, TIMEOUT, LONG),
  row('drips an answer byte by byte', dripping(tokenAnswer('a-token-that-drips')), TIMEOUT, LONG),
  row('says 100 Continue and no more', saying('HTTP/1.1 100 Continue\r\n\r\n'), TIMEOUT, LONG),
  row('sends the head and never the body', saying(headOf(100)), TIMEOUT, LONG),
  row(
    'resets after it has read',
    afterwards((socket) => socket.resetAndDestroy()),
    UNKNOWN,
    LONG,
  ),
  row(
    'closes without a word',
    afterwards((socket) => socket.end()),
    UNKNOWN,
    LONG,
  ),
  row('closes in mid-head', replying('HTTP/1.1 200 OK\r\nContent-Ty'), UNKNOWN, LONG),
  row('closes in mid-body', replying(`${headOf(100)}{"token":"cut`), UNKNOWN, LONG),
  row('resets in mid-body', sayingThenResetting(`${headOf(100)}{"token":"cut`), UNKNOWN, LONG),
  row('429', replying(status('429 Too Many Requests')), THROTTLED, SOON),
  row('429 with Retry-After', replying(status('429 Too Many Requests', ['Retry-After: 7'])), THROTTLED, [6, 7]),
  row(
    '429 with Retry-After as a date',
    replying(() => status('429 Wait', [`Date: ${inSeconds(0)}`, `Retry-After: ${inSeconds(20)}`])),
    THROTTLED,
    [19, 20],
  ),
  row(
    '429 with an absurd Retry-After',
    replying(status('429 Wait', ['Retry-After: 99999999'])),
    THROTTLED,
    [3599, 3600],
  ),
  row('429 with Retry-After of no sense', replying(status('429 Wait', ['Retry-After: soon\t'])), THROTTLED, SOON),
  row('503', replying(status('503 Away')), '503 upstream_unavailable', SOON),
  row('500 at login', replying(status('500 Oops', [], 'trace')), '502 upstream_login_ambiguous', AMBIGUOUS),
  row('HTML', replying(answer(['Content-Type: text/html'], '<html>Sign in</html>')), INVALID, LONG),
  row(
    'a gzip bomb',
    replying(() => answer(['Content-Encoding: gzip'], gzipSync(Buffer.alloc(8 << 20)))),
    TOO_LARGE,
    LONG,
  ),
  row('gzip that is none', replying(answer(['Content-Encoding: gzip'], 'plain')), INVALID, LONG),
  row('an unknown coding', replying(answer(['Content-Encoding: rot13'], '{}')), INVALID, LONG),
  row('a body without an end', flooding('HTTP/1.1 200 OK\r\n\r\n', 'x'), TOO_LARGE, LONG),
  row('headers without an end', flooding('HTTP/1.1 200 OK\r\n', 'X-More: more\r\n'), TOO_LARGE, LONG),
  row('another protocol', replying('SSH-2.0-OpenSSH_9.2\r\n'), INVALID, LONG),
  row(
    '101 Switching Protocols',
    replying('HTTP/1.1 101 No\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n'),
    INVALID,
    LONG,
  ),
  row('a broken chunk', replying('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n'), INVALID, LONG),
  row('two lengths', replying('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'), INVALID, LONG),
  row('an empty token', replying(tokenAnswer('')), INVALID, LONG),
  row('CR LF in a token', replying(tokenAnswer('a-token\r\nX-Injected: 1')), INVALID, LONG),
  row('NUL in a token', replying(tokenAnswer('a-token\u0000')), INVALID, LONG),
  row('a bare line feed in a header', replying('HTTP/1.1 200 OK\r\nX: a\nY: b\rZ\r\n\r\n'), INVALID, LONG),
  row(
    'a redirect to itself',
    replying(status('307 Again', ['Location: /user/getsystemtoken'])),
    '502 upstream_redirect',
    LONG,
  ),
  row(
    'a redirect to the metadata address',
    replying(status('302 Found', ['Location: http://169.254.169.254/latest/meta-data'])),
    '502 upstream_redirect',
    LONG,
  ),
  row(
    'a token that has expired',
    replying(() => tokenAnswer(jwtOf({ exp: epochSeconds(-60) }))),
    '502 upstream_token_unusable',
    LONG,
  ),
  row('a locked account', replying(status('423 Locked')), '502 upstream_account_locked', [1799, 1800]),
];

/** Misbehaviour that the caller does not notice, with the least and the greatest `expires_in`. */
export const rawOddities: readonly (readonly [string, Misbehaviour, readonly [number, number]])[] = [
  ['exp in milliseconds', replying(() => tokenAnswer(jwtOf({ exp: epochSeconds(3600) * 1000 }))), [3585, 3595]],
  ['no exp', replying(tokenAnswer('an-opaque-token-without-exp')), [86_385, 86_395]],
  ['a clock ten minutes ahead', replying(() => skewed(600)), [3585, 3595]],
  ['a clock ten minutes behind', replying(() => skewed(-600)), [2985, 2995]],
  ['a clock eight hours behind', replying(() => skewed(-28_800)), [3585, 3595]],
  [
    'a Date of no sense',
    replying(() => tokenAnswer(jwtOf({ exp: epochSeconds(3600) }), ['Date: yesterday'])),
    [3585, 3595],
  ],
];

function row(
  name: string,
  misbehave: Misbehaviour,
  gist: string,
  retryAfter: readonly [number, number],
  logins = 1,
): RawFault {
  return { name, misbehave, gist, retryAfter, logins };
}

function headOf(length: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
}

function afterwards(act: (socket: Socket) => void): Misbehaviour {
  return (socket, request) => void request.then(() => act(socket));
}

function saying(bytes: string): Misbehaviour {
  return afterwards((socket) => socket.write(bytes));
}

function sayingThenResetting(bytes: string): Misbehaviour {
  return afterwards((socket) => socket.write(bytes, () => setTimeout(() => socket.resetAndDestroy(), DRIP_EVERY_MS)));
}

function dripping(bytes: Buffer): Misbehaviour {
  return afterwards((socket) => {
    let sent = 0;
    const timer = setInterval(() => {
      socket.write(bytes.subarray(sent, sent + 1));
      sent += 1;
    }, DRIP_EVERY_MS);
    socket.once('close', () => clearInterval(timer));
  });
}

/** Writes the same again and again, as fast as it is read. */
function flooding(head: string, again: string): Misbehaviour {
  const block = again.repeat(Math.ceil(SOME_BYTES / again.length));
  return afterwards((socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.write(head);
    socket.on('drain', pour);
    pour();
  });
}

/** A token of an hour from a server whose clock is off by so many seconds (H14). */
function skewed(seconds: number): Buffer {
  return tokenAnswer(jwtOf({ exp: epochSeconds(3600 + seconds) }), [`Date: ${inSeconds(seconds)}`]);
}

function epochSeconds(fromNow: number): number {
  return Math.floor(Date.now() / 1000) + fromNow;
}

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toUTCString();
}
