import { request } from 'node:http';
import { type AgentOptions, startAgent } from '../../../client/agent/agent.ts';
import { createBrokerCalls } from '../../../client/agent/broker-calls.ts';
import type { SlotName } from '../../../client/broker-api.ts';
import { endpointOf } from '../../../client/endpoint.ts';
import { createSigner } from '../../../client/signing.ts';

export const AGENT_TOKEN = 'the-token-of-the-agent-itself';

/** An answer of the agent. */
export interface AgentAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Buffer;
}

/** Starts an agent of the broker at `url`, with a clock that only moves by hand and by sleeping. */
export async function startAgentUnderTest(
  url: string,
  {
    served = [{ connection: 'wfm', subject: 'system' }],
    ...options
  }: Partial<Omit<AgentOptions, 'served'>> & { readonly served?: readonly SlotName[] } = {},
) {
  const time = { now: Date.now() };
  const reports: string[] = [];
  const clock = {
    now: () => time.now,
    async sleep(ms: number) {
      time.now += ms;
    },
  };
  const random = () => 0.5;
  const endpoint = endpointOf({ url, environment: {} });
  const sign = createSigner({ endpoint, clock: { now: Date.now } });
  const budget = { attempts: 2, timeoutMs: 10_000 };
  const agent = await startAgent({
    place: { port: 0 },
    token: AGENT_TOKEN,
    ...createBrokerCalls({ endpoint, sign, budget, clock, random }),
    basePath: '',
    report: (line) => reports.push(line),
    ...{ served, budget, clock, random },
    ...options,
  });
  const where = agent.address.startsWith('http:')
    ? { host: '127.0.0.1', port: new URL(agent.address).port }
    : { socketPath: agent.address };

  /** Asks the agent as a caller does, with its token. A header that is undefined is left out. */
  function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<AgentAnswer> {
    const all = { 'x-token-broker-agent-token': AGENT_TOKEN, ...headers };
    return new Promise((resolve, reject) => {
      const outgoing = request({
        ...where,
        ...{ method, path, agent: false },
        headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
      });
      outgoing.once('error', reject);
      outgoing.once('response', (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        incoming.once('error', reject);
        incoming.once('end', () => {
          const isJson = /json/.test(incoming.headers['content-type'] ?? '');
          const json = isJson && text !== '' ? JSON.parse(text) : {};
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json });
        });
      });
      outgoing.end(body);
    });
  }
  return { ...agent, ask, reports, time };
}
