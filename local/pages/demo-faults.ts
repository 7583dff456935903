import type { Connection } from '../../functions/core/slot/connection.ts';
import { demoCommunitySecret } from '../demo/community-knobs.ts';
import { demoHelpmasterSecret } from '../demo/helpmaster-knobs.ts';
import type { DemoUpstreams } from '../demo-upstreams.ts';

type Knobs = Readonly<Record<string, unknown>>;

/** Fault of a demo upstream, or `mended`; `label` is its name on the page. */
export interface Fault {
  readonly name: string;
  readonly label: string;
  readonly knobs: Knobs;
}

/** Controls of a demo upstream, for the page. */
export interface DemoControl {
  readonly faults: readonly Fault[];
  /** Gated path for a sample call. */
  readonly callPath: string;
  /** Reads the current fault, `mended` for none; undefined if the upstream does not answer. */
  current(): Promise<string | undefined>;
  /** Clears every fault and sets this one. */
  set(fault: Fault): Promise<void>;
}

/** Fault that revokes every issued token; the upstream works as before. */
export const END_TOKENS = 'end-tokens';
export const MENDED = 'mended';

const WITHIN_MS = 5_000;

const unbroken: Knobs = { loginStatus: null, callStatus: null, hang: false, reset: 'none' };

function faultsOf(credential: Knobs, wrongCredential: Knobs): readonly Fault[] {
  const mended = { ...unbroken, credential };
  return [
    { name: MENDED, label: 'Working', knobs: mended },
    { name: 'down', label: 'Out of service (503)', knobs: { ...mended, loginStatus: 503, callStatus: 503 } },
    { name: 'reset', label: 'Cuts every connection', knobs: { ...mended, reset: 'before' } },
    { name: 'hang', label: 'Never answers', knobs: { ...mended, hang: true } },
    { name: 'credential', label: 'Credential changed', knobs: { ...mended, credential: wrongCredential } },
    { name: END_TOKENS, label: 'Ends all its tokens, once', knobs: { revokeIssued: true } },
  ];
}

/** Creates the controls of the demo upstreams, by the name of each of their connections. */
export function createDemoControls(
  { helpmaster, community }: DemoUpstreams,
  connections: Readonly<Record<string, Connection>>,
): ReadonlyMap<string, DemoControl> {
  const byBaseUrl = new Map([
    [
      helpmaster.baseUrl,
      createControl(helpmaster.url, '/jobs/MyOpenJobs', faultsOf(demoHelpmasterSecret, { apiKey: 'another-key' })),
    ],
    [
      community.baseUrl,
      createControl(
        community.url,
        '/SingleRecurringEvent',
        faultsOf(demoCommunitySecret, { ...demoCommunitySecret, password: 'another password' }),
      ),
    ],
  ]);
  return new Map(
    Object.values(connections).flatMap(({ name, baseUrl }): [string, DemoControl][] => {
      const control = byBaseUrl.get(baseUrl);
      return control === undefined ? [] : [[name, control]];
    }),
  );
}

function createControl(url: string, callPath: string, faults: readonly Fault[]): DemoControl {
  const knobsUrl = `${url}/__demo/knobs`;

  async function exchange(change?: Knobs): Promise<Knobs> {
    const answer = await fetch(knobsUrl, {
      signal: AbortSignal.timeout(WITHIN_MS),
      ...(change === undefined ? {} : { method: 'PUT', body: JSON.stringify(change) }),
    });
    const knobs: unknown = await answer.json();
    if (!answer.ok || typeof knobs !== 'object' || knobs === null)
      throw new Error(`The demo answered ${answer.status}.`);
    return { ...knobs };
  }

  return {
    faults,
    callPath,
    async current() {
      const knobs = await exchange().catch(() => undefined);
      if (knobs === undefined) return undefined;
      return faults.find((fault) => fault.name !== END_TOKENS && isInForce(fault, knobs))?.name;
    },
    async set({ knobs }) {
      await exchange(knobs);
    },
  };
}

function isInForce({ knobs }: Fault, current: Knobs): boolean {
  return Object.entries(knobs).every(([name, value]) => JSON.stringify(current[name]) === JSON.stringify(value));
}
