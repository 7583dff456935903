import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { demoCommunitySecret } from '../demo/community-knobs.ts';
import type { DemoUpstream } from '../demo/demo-upstream.ts';
import { demoHelpmasterSecret } from '../demo/helpmaster-knobs.ts';
import type { CommonKnobs } from '../demo/knobs.ts';
import { demoOAuthSecret } from '../demo/oauth-knobs.ts';
import type { DemoUpstreams } from '../demo-upstreams.ts';

type Knobs = CommonKnobs & { readonly credential: unknown };

/** Fault of a demo upstream, or `mended`; `label` is its name on the page. */
interface Fault {
  readonly name: string;
  readonly label: string;
  readonly knobs: Partial<Knobs>;
}

/** Controls of a demo upstream, for the page. */
export interface DemoControl {
  readonly faults: readonly Fault[];
  /** Gated path for a sample call. */
  readonly callPath: string;
  /** Users of the upstream to offer beside those with a token. */
  readonly users: readonly string[];
  /** Finds the current fault, `mended` for none; undefined for knobs that somebody else has set. */
  current(): string | undefined;
  /** Clears every fault and sets this one. */
  set(fault: Fault): void;
}

/** Creates the controls of the demo upstreams, by the name of each of their connections. */
export function createDemoControls(
  { helpmaster, community, oauth }: DemoUpstreams,
  connections: Readonly<Record<string, Connection>>,
): ReadonlyMap<string, DemoControl> {
  const controls = [
    createControl(helpmaster, {
      callPath: '/jobs/MyOpenJobs',
      users: ['88', '42', '1'],
      credential: demoHelpmasterSecret,
      wrongCredential: { apiKey: 'another-key' },
    }),
    createControl(community, {
      callPath: '/SingleRecurringEvent',
      credential: demoCommunitySecret,
      wrongCredential: { ...demoCommunitySecret, password: 'another password' },
    }),
    createControl(oauth, {
      callPath: '/orders',
      credential: demoOAuthSecret,
      wrongCredential: { ...demoOAuthSecret, clientSecret: 'another secret' },
    }),
  ];
  return new Map(
    Object.values(connections).flatMap(({ name, baseUrl }): [string, DemoControl][] =>
      controls.filter((control) => control.baseUrl === baseUrl).map((control) => [name, control]),
    ),
  );
}

function createControl(
  { baseUrl, knobs: read, setKnobs }: DemoUpstream<Knobs>,
  {
    callPath,
    users = [],
    credential,
    wrongCredential,
  }: {
    readonly callPath: string;
    readonly users?: readonly string[];
    readonly credential: unknown;
    readonly wrongCredential: unknown;
  },
): DemoControl & { readonly baseUrl: string } {
  const mended: Partial<Knobs> = {
    ...{ loginStatus: null, callStatus: null, hang: false, reset: 'none', firewall: null },
    credential,
  };
  const faults: readonly Fault[] = [
    { name: 'mended', label: 'Working', knobs: mended },
    { name: 'down', label: 'Out of service (503)', knobs: { ...mended, loginStatus: 503, callStatus: 503 } },
    {
      name: 'firewall',
      label: 'Blocked by a firewall (403)',
      knobs: { ...mended, firewall: { status: 403, body: 'html', seconds: null } },
    },
    { name: 'reset', label: 'Cuts every connection', knobs: { ...mended, reset: 'before' } },
    { name: 'hang', label: 'Never answers', knobs: { ...mended, hang: true } },
    { name: 'credential', label: 'Credential changed', knobs: { ...mended, credential: wrongCredential } },
    // Never in force: it revokes every issued token, and the upstream works as before.
    { name: 'end-tokens', label: 'Ends all its tokens, once', knobs: { revokeIssued: true } },
  ];
  return {
    baseUrl,
    faults,
    callPath,
    users,
    current() {
      const now = new Map<string, unknown>(Object.entries(read()));
      const isNow = ([name, value]: [string, unknown]) => isDeepStrictEqual(now.get(name), value);
      return faults.find(({ knobs }) => Object.entries(knobs).every(isNow))?.name;
    },
    set: ({ knobs }) => void setKnobs(knobs),
  };
}
