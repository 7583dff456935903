import { systemClock } from '../../clock.ts';
import { type Dashboard, startDashboard } from '../../dashboard/dashboard.ts';
import { createSigner } from '../../signing.ts';
import { createTransport } from '../../transport.ts';
import { brokerOption, pastOf } from '../broker-past.ts';
import type { Call, Command } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';

const DEFAULT_PORT = '8793';
const WHOLE_NUMBER = /^[0-9]{1,5}$/;
const HIGHEST_PORT = 65_535;
const PORT_ERRORS = new Set(['EADDRINUSE', 'EACCES']);

/** `token-broker dashboard`: the page of a broker, served on this machine until the user interrupts. */
export const dashboardCommand: Command = {
  name: 'dashboard',
  summary: "serves a page on this machine: a broker's slots, live, with buttons; until Ctrl-C",
  operands: [],
  options: {
    broker: brokerOption,
    port: { type: 'string', value: 'N', help: `port on 127.0.0.1 (${DEFAULT_PORT}; 0 picks a free one)` },
  },
  notes: [
    'The page signs with your credentials, which stay in this process; tokens are shown by their token hash. Listing and',
    'purging are for operators. On Linux it answers you and root alone; elsewhere whoever is on this machine can use it as you.',
    'The history of a deployed broker comes from CloudWatch, with your credentials: it needs cloudwatch:GetMetricData. Who',
    'had which token is asked as `token-broker audit` asks. AWS bills both.',
  ],
  examples: [
    ['dashboard --url https://ID.execute-api.REGION.amazonaws.com/v1', 'a deployed broker, at http://127.0.0.1:8793'],
    ['dashboard --port 0 --json', 'on a free port, with the address as JSON'],
  ],
  async run(call) {
    const interrupted = call.terminal.interruption();
    const dashboard = await start(call, portIn(call.text('port') ?? DEFAULT_PORT));
    try {
      const { url } = dashboard;
      call.print(call.isJson ? JSON.stringify({ url, broker: call.endpoint.base }) : url);
      call.say(`The page of ${call.endpoint.base} is there until Ctrl-C.`);
      await aborted(interrupted);
    } finally {
      await dashboard.close();
    }
    return EXIT.ok;
  },
};

function portIn(text: string): number {
  if (WHOLE_NUMBER.test(text) && Number(text) <= HIGHEST_PORT) return Number(text);
  throw new UsageError(`--port is a whole number from 0 to ${HIGHEST_PORT}, such as --port ${DEFAULT_PORT}.`);
}

async function start(call: Call, port: number): Promise<Dashboard> {
  const { endpoint } = call;
  const sign = createSigner({ endpoint, clock: systemClock });
  const transport = createTransport({ endpoint, sign, fetch });
  try {
    return await startDashboard({ port, endpoint, transport, past: pastOf(call) });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!PORT_ERRORS.has(code)) throw error;
    throw new UsageError(`The port ${port} cannot be had (${code}): give another with --port, or 0 for a free one.`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
