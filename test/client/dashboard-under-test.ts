import { press, send } from '../local/demo/demo-client.ts';
import { type Ran, tokenBroker } from './command-line.ts';

/** A `token-broker dashboard` that runs in this process. */
export type DashboardUnderTest = Awaited<ReturnType<typeof startDashboardUnderTest>>;

/** Runs `token-broker dashboard` for the broker at `brokerUrl` on a free port, and waits until it says where it is. */
export async function startDashboardUnderTest(brokerUrl: string, args: readonly string[] = []) {
  const interruption = new AbortController();
  const printed = Promise.withResolvers<string>();
  const ran = tokenBroker(['dashboard', '--port', '0', '--json', ...args], {
    url: brokerUrl,
    interruption: interruption.signal,
    onOutput: printed.resolve,
  });
  const line = await Promise.race([printed.promise, ran.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    /** Posts as the page does, or as `headers` say. */
    press: (name: string, body: unknown, headers?: Record<string, string>) =>
      press(url, `/local/${name}`, body, headers),
    state: () => send(`${url}/local/state`),
    /** Interrupts it, and gives how it ended. */
    async close(): Promise<Ran> {
      interruption.abort();
      return ran;
    },
  };
}
