import { startDemoUpstreams } from '../../local/demo-upstreams.ts';
import { startSystemUnderTest } from '../system/system-under-test.ts';

type Upstream = 'helpmaster' | 'community';
type Counts = Record<'logins' | 'slides' | 'calls', number>;

/** The broker in this process, with both demo upstreams, on which tokens may be rejected at once. */
export type LocalBroker = Awaited<ReturnType<typeof startLocalBroker>>;

/** Starts `npm start` in this process, on a free port, wanting signatures unless told otherwise. */
export async function startLocalBroker({ flags = ['--require-sigv4'] } = {}) {
  const demo = await startDemoUpstreams(0);
  const shared = { renewalCooldownSeconds: 0, memorySeconds: 0, proxy: { methods: ['GET', 'POST'], paths: ['/'] } };
  const connections = {
    helpdesk: { provider: 'helpmaster', baseUrl: demo.helpmaster.baseUrl, ...shared },
    wfm: { provider: 'community-web-api', baseUrl: demo.community.baseUrl, ...shared },
  };
  const system = await startSystemUnderTest({ connections, flags });

  const { helpmaster, community } = demo;
  /** Counts the logins, slides and calls that an upstream has seen. */
  async function counts(upstream: Upstream): Promise<Counts> {
    const { logins, slides, calls } = demo[upstream].ledger();
    return { logins: logins.length, slides: slides.length, calls: calls.length };
  }
  return {
    url: system.url,
    helpmaster,
    community,
    counts,
    /** Looks now, and gives a function that tells what has been added since. */
    async counting(upstream: Upstream) {
      const before = await counts(upstream);
      return async (): Promise<Counts> => {
        const now = await counts(upstream);
        return {
          logins: now.logins - before.logins,
          slides: now.slides - before.slides,
          calls: now.calls - before.calls,
        };
      };
    },
    /** Turns knobs of a demo upstream. */
    async turn(upstream: Upstream, knobs: Readonly<Record<string, unknown>>) {
      demo[upstream].setKnobs(knobs);
    },
    async close() {
      await system.close();
      await demo.close();
    },
  };
}
