import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { demoCommunitySecret } from '../../local/demo/community.ts';
import { demoHelpmasterSecret } from '../../local/demo/helpmaster.ts';
import { startDemoUpstreams } from '../../local/demo-upstreams.ts';
import { flagsOf } from '../../local/flags.ts';
import { startSystem } from '../../local/system.ts';

type Upstream = 'helpmaster' | 'community';
type Counts = Record<'logins' | 'slides' | 'calls', number>;

/** The broker in this process, with both demo upstreams, on which tokens may be rejected at once. */
export interface LocalBroker {
  readonly url: string;
  readonly helpmaster: { readonly url: string; readonly baseUrl: string };
  readonly community: { readonly url: string; readonly baseUrl: string };
  /** Turns knobs of a demo upstream. */
  turn(upstream: Upstream, knobs: Readonly<Record<string, unknown>>): Promise<void>;
  /** Counts the logins, slides and calls that an upstream has seen. */
  counts(upstream: Upstream): Promise<Counts>;
  /** Looks now, and gives a function that tells what has been added since. */
  counting(upstream: Upstream): Promise<() => Promise<Counts>>;
  close(): Promise<void>;
}

/** Starts `npm start` in this process, on a free port, wanting signatures unless told otherwise. */
export async function startLocalBroker({ flags = ['--require-sigv4'] } = {}): Promise<LocalBroker> {
  const demo = await startDemoUpstreams(0);
  const folder = await mkdtemp(join(tmpdir(), 'token-broker-test-'));
  const files = { connections: join(folder, 'connections.json'), secrets: join(folder, 'secrets.json') };
  const shared = { renewalCooldownSeconds: 0, memorySeconds: 0, proxy: { methods: ['GET', 'POST'], paths: ['/'] } };
  await writeFile(
    files.connections,
    JSON.stringify({
      connections: {
        helpdesk: { provider: 'helpmaster', baseUrl: demo.helpmaster.baseUrl, ...shared },
        wfm: { provider: 'community-web-api', baseUrl: demo.community.baseUrl, ...shared },
      },
    }),
  );
  await writeFile(files.secrets, JSON.stringify({ helpdesk: demoHelpmasterSecret, wfm: demoCommunitySecret }));
  const named = ['--connections', files.connections, '--secrets', files.secrets];
  const system = await startSystem(flagsOf(['--port', '0', '--refresh-every', '3600', ...named, ...flags]), {
    log: new Writable({ write: (_chunk, _encoding, done) => done() }),
    report: () => undefined,
  });

  const { helpmaster, community } = demo;
  const urls = { helpmaster: helpmaster.url, community: community.url };
  async function counts(upstream: Upstream): Promise<Counts> {
    const ledger = (await (await fetch(`${urls[upstream]}/__demo/ledger`)).json()) as Record<string, unknown[]>;
    const { logins = [], slides = [], calls = [] } = ledger;
    return { logins: logins.length, slides: slides.length, calls: calls.length };
  }
  return {
    url: system.url,
    helpmaster,
    community,
    counts,
    async counting(upstream) {
      const before = await counts(upstream);
      return async () => {
        const now = await counts(upstream);
        return {
          logins: now.logins - before.logins,
          slides: now.slides - before.slides,
          calls: now.calls - before.calls,
        };
      };
    },
    async turn(upstream, knobs) {
      const body = JSON.stringify(knobs);
      const response = await fetch(`${urls[upstream]}/__demo/knobs`, { method: 'PUT', body });
      if (!response.ok) throw new Error(`The knobs were refused: ${await response.text()}`);
    },
    async close() {
      await system.close();
      await demo.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
