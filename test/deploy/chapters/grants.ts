import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type Answer, type Caller, createCaller } from '../aws-calls.ts';
import { type GrantedRole, PATH } from '../granted-roles.ts';
import { problemCodeIn } from '../handed-out.ts';
import { assumeRole } from '../identities.ts';
import type { Environment } from '../place.ts';
import type { Report } from '../report.ts';

/** A request as `METHOD /path`. */
type Call = `${'GET' | 'POST' | 'DELETE'} /${string}`;

/** A grant, and requests that it lets through, and that it does not. */
interface Granted {
  readonly grant: string;
  readonly role: GrantedRole;
  readonly tags?: Readonly<Record<string, string>>;
  readonly allowed: readonly Call[];
  readonly refused: readonly Call[];
}

const TAGGED = "grantToken(role, 'helpdesk', { subjects: { principalTag: 'staff-pkid' } })";

/** Every grant, in the order in which they are tried. */
const granted: readonly Granted[] = [
  {
    grant: "grantToken(role, 'helpdesk')",
    role: 'system',
    allowed: ['GET /tokens/helpdesk/system', 'POST /tokens/helpdesk/system'],
    refused: [
      'GET /tokens/helpdesk/88',
      'GET /tokens/wfm/system',
      'DELETE /tokens/helpdesk/system',
      'GET /connections',
    ],
  },
  {
    grant: "grantToken(role, 'helpdesk', { subjects: ['88'] })",
    role: 'one',
    allowed: ['GET /tokens/helpdesk/88', 'POST /tokens/helpdesk/88'],
    refused: ['GET /tokens/helpdesk/system', 'GET /tokens/helpdesk/42', 'GET /proxy/helpdesk/88/files/1'],
  },
  {
    grant: "grantToken(role, 'helpdesk', { subjects: 'all' })",
    role: 'all',
    allowed: ['GET /tokens/helpdesk/system', 'GET /tokens/helpdesk/88', 'GET /tokens/helpdesk/42'],
    refused: ['GET /tokens/wfm/system', 'DELETE /tokens/helpdesk/42'],
  },
  {
    grant: `${TAGGED}, of a session with the tag`,
    role: 'tagged',
    tags: { 'staff-pkid': '88' },
    allowed: ['GET /tokens/helpdesk/88'],
    refused: ['GET /tokens/helpdesk/42', 'GET /tokens/helpdesk/system'],
  },
  { grant: `${TAGGED}, of a session without it`, role: 'tagged', allowed: [], refused: ['GET /tokens/helpdesk/88'] },
  {
    grant: "grantToken(role, 'helpdesk', { reports: false })",
    role: 'quiet',
    allowed: ['GET /tokens/helpdesk/system'],
    refused: ['POST /tokens/helpdesk/system'],
  },
  {
    grant: "grantProxy(role, 'helpdesk', { subjects: ['88'] })",
    role: 'proxying',
    allowed: ['GET /proxy/helpdesk/88/files/1'],
    refused: ['POST /proxy/helpdesk/88/files/1', 'GET /proxy/helpdesk/42/files/1', 'GET /tokens/helpdesk/88'],
  },
  {
    grant: "grantOperate(role, 'helpdesk')",
    role: 'operating',
    allowed: [
      'GET /connections',
      'GET /connections/helpdesk',
      'POST /connections/helpdesk/try',
      'DELETE /tokens/helpdesk/42',
    ],
    refused: ['GET /connections/wfm', 'DELETE /tokens/wfm/system', 'GET /tokens/helpdesk/system'],
  },
  {
    grant: 'grantOperate(role)',
    role: 'operating-all',
    allowed: ['GET /connections/wfm', 'DELETE /tokens/wfm/system', 'GET /connections/helpdesk'],
    refused: ['GET /tokens/wfm/system'],
  },
  { grant: 'no grant', role: 'none', allowed: [], refused: ['GET /tokens/helpdesk/system', 'GET /connections'] },
  {
    grant: 'no grant, execute-api:* on *',
    role: 'broad',
    allowed: [],
    refused: ['GET /tokens/helpdesk/system', 'GET /proxy/helpdesk/88/files/1', 'GET /connections'],
  },
  {
    grant: '`callers`, and no policy of its own',
    role: 'named-none',
    allowed: [],
    refused: ['GET /tokens/helpdesk/88'],
  },
  {
    grant: '`callers`, execute-api:* on *',
    role: 'named-broad',
    allowed: ['GET /tokens/helpdesk/88', 'GET /connections'],
    refused: [],
  },
];

/** Checks each grant of `granted-app.ts` by calls that it allows and calls that it refuses; each role is taken by `by`. */
export async function checkGrants(report: Report, url: string, by: Environment): Promise<void> {
  for (const { grant, role, tags, allowed, refused } of granted) {
    const counts = `${allowed.length} calls allowed, ${refused.length} refused`;
    await report.step(`${grant}: ${counts}`, async () => {
      const call = createCaller(url, await assumeRole(by, `${PATH.slice(1)}${role}`, tags));
      for (const each of allowed) {
        const { status, body } = await send(call, each);
        assert.ok(status < 300, `${each} as ${role} was answered ${status}: ${problemCodeIn(body)}`);
      }
      for (const each of refused) assertForbidden(await send(call, each), `${each} as ${role}`);
    });
  }
}

function send(call: Caller, request: Call): Promise<Answer> {
  const [method = '', target = ''] = request.split(' ');
  if (method !== 'POST') return call(method, target);
  const rejected = createHash('sha256').update('a token that nobody has').digest('hex');
  const body = JSON.stringify(target.startsWith('/tokens/') ? { rejected } : {});
  return call(method, target, { body, headers: { 'content-type': 'application/json' } });
}

function assertForbidden({ status, headers, body }: Answer, what: string): void {
  assert.deepEqual([status, problemCodeIn(body)], [403, 'forbidden'], what);
  assert.match(headers.get('content-type') ?? '', /application\/problem\+json/, what);
}
