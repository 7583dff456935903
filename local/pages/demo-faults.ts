import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '../../functions/core/slot/connection.ts';
import { demoCommunitySecret } from '../demo/community-knobs.ts';
import type { DemoUpstream } from '../demo/demo-upstream.ts';
import { demoHelpmasterSecret } from '../demo/helpmaster-knobs.ts';
import type { CommonKnobs } from '../demo/knobs.ts';
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
  /** Finds the current fault, `mended` for none; undefined for knobs that somebody else has set. */
  current(): string | undefined;
  /** Clears every fault and sets this one. */
  set(fault: Fault): void;
}

/** Creates the controls of the demo upstreams, by the name of each of their connections. */
export function createDemoControls(
  { helpmaster, community }: DemoUpstreams,
  connections: Readonly<Record<string, Connection>>,
): ReadonlyMap<string, DemoControl> {
  const wrongPassword = { ...demoCommunitySecret, password: 'another password' };
  const controls = [
    createControl(helpmaster, '/jobs/MyOpenJobs', demoHelpmasterSecret, { apiKey: 'another-key' }),
    createControl(community, '/SingleRecurringEvent', demoCommunitySecret, wrongPassword),
  ];
  return new Map(
    Object.values(connections).flatMap(({ name, baseUrl }): [string, DemoControl][] =>
      controls.filter((control) => control.baseUrl === baseUrl).map((control) => [name, control]),
    ),
  );
}

function createControl(
  { baseUrl, knobs: read, setKnobs }: DemoUpstream<Knobs>,
  callPath: string,
  credential: unknown,
  wrongCredential: unknown,
): DemoControl & { readonly baseUrl: string } {
  const mended: Partial<Knobs> = { loginStatus: null, callStatus: null, hang: false, reset: 'none', credential };
  const faults: readonly Fault[] = [
    { name: 'mended', label: 'Working', knobs: mended },
    { name: 'down', label: 'Out of service (503)', knobs: { ...mended, loginStatus: 503, callStatus: 503 } },
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
    current() {
      const now = new Map<string, unknown>(Object.entries(read()));
      const isNow = ([name, value]: [string, unknown]) => isDeepStrictEqual(now.get(name), value);
      return faults.find(({ knobs }) => Object.entries(knobs).every(isNow))?.name;
    },
    set: ({ knobs }) => void setKnobs(knobs),
  };
}
