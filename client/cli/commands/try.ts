import { createTokenBrokerClient } from '../../token-broker-client.ts';
import type { Tried, TriedStep } from '../../trial.ts';
import { type Call, type Command, operand, subjectOption } from '../command.ts';
import { EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import { remedyForCode } from '../remedies.ts';

/** `token-broker try`: one login, shown step by step. For operators, and for whoever writes a provider. */
export const tryCommand: Command = {
  name: 'try',
  summary: 'logs in once and shows it step by step, in names and shapes',
  operands: ['CONNECTION'],
  options: {
    subject: subjectOption,
    connections: { type: 'string', value: 'FILE', help: 'tries a file of connections, before any deployment' },
    secrets: { type: 'string', value: 'FILE', help: 'with --connections: the secrets, as for `npm start`' },
  },
  notes: [
    'No secret and no token is shown: in their place stand their names, such as {password}, and of what looks opaque its',
    'shape. It is a login like any other: it waits where a login would have to wait, and never goes round a lockout.',
    'The token is published, so that the next caller gets it.',
  ],
  examples: [
    ['try wfm', 'what is sent, what comes back, and how it is judged'],
    ['try helpdesk --subject 88 --json', 'one staff member, for programs'],
    ['try acme --connections connections.json --secrets secrets.json', 'a provider that you are writing'],
  ],
  async run(call) {
    const [connection, subject] = [operand(call, 0), call.text('subject') ?? 'system'];
    const [connections, secrets] = [call.text('connections'), call.text('secrets')];
    if (connections === undefined && secrets === undefined) {
      return report(call, await call.client.tryLogin(connection, { subject }));
    }
    if (connections === undefined || secrets === undefined) {
      throw new UsageError('--connections FILE and --secrets FILE belong together.');
    }
    const broker = await call.own.start({ connections, secrets, connection }, call.say);
    let hasToken = false;
    try {
      const client = createTokenBrokerClient({ url: broker.url, timeoutMs: call.timeoutMs });
      const tried = await client.tryLogin(connection, { subject });
      hasToken = tried.token !== undefined;
      return report(call, tried);
    } finally {
      await broker.close(hasToken);
    }
  },
};

function report(call: Call, tried: Tried): ExitCode {
  if (call.isJson) call.print(JSON.stringify(tried, undefined, 2));
  else for (const line of linesOf(tried, call.paint)) call.print(line);
  const { result } = tried;
  if (result.outcome === 'published') return EXIT.ok;
  const remedy = result.outcome === 'failed' ? remedyForCode(result.code) : undefined;
  if (remedy !== undefined && !call.isJson) call.say(remedy);
  return EXIT.unavailable;
}

function linesOf(tried: Tried, paint: Call['paint']): readonly string[] {
  const { connection, subject, provider, derived, steps, token, result } = tried;
  const head = `${connection}/${subject}, provider ${provider}`;
  const computed = derived.flatMap(({ name, kind, length, header, claims }) => [
    `  {${name}} ${kind}, ${length} characters`,
    ...(header === undefined ? [] : [`    header ${JSON.stringify(header)}`, `    claims ${JSON.stringify(claims)}`]),
  ]);
  const placed =
    token === undefined
      ? []
      : [
          '',
          paint('bold', `The token: ${token.length} characters, until ${token.expires_at}`),
          `  end by ${token.end.by}: ${token.end.says}`,
          ...membersOf('  an API call carries ', { ...token.placed.headers, ...token.placed.query }),
          `  to ${token.placed.base_url}`,
        ];
  return [
    paint('bold', head),
    ...(computed.length === 0 ? [] : ['computed', ...computed]),
    ...steps.flatMap((step, index) => ['', ...stepLines(step, index, paint)]),
    ...placed,
    '',
    resultLine(result, paint),
  ];
}

function stepLines({ request, answer, failure, reads, judged }: TriedStep, index: number, paint: Call['paint']) {
  const { method, url, headers, body, certificate } = request;
  const asked = [
    paint('bold', `${index + 1}. ${method} ${url}`),
    ...membersOf('   > ', headers),
    ...(certificate === undefined ? [] : [`   > client certificate ${certificate}`]),
    ...(body === undefined ? [] : bodyLines('   > ', body)),
  ];
  const answered =
    answer === undefined
      ? [
          `   no answer: ${failure?.reason ?? 'the request was not sent'}${failure?.sent === true ? ', after it was sent' : ''}`,
        ]
      : [
          `   < ${answer.status}`,
          ...Object.entries(answer.headers).flatMap(([name, values]) =>
            values.map((value) => `   < ${name}: ${value}`),
          ),
          ...bodyLines('   < ', answer.body),
        ];
  const read = reads.map(
    ({ name, from, type, length }) =>
      `   {${name}} from ${from}: ${type}${length === undefined ? '' : `, ${length} characters`}`,
  );
  if (judged === undefined) return [...asked, ...answered, ...read];
  const { by, means, evidence } = judged;
  const verdict = `   judged by ${by}: ${means}${evidence === undefined ? '' : `, for ${evidence}`}`;
  return [...asked, ...answered, ...read, paint(means === 'ok' ? 'green' : 'yellow', verdict)];
}

function membersOf(lead: string, members: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(members).map(([name, value]) => `${lead}${name}: ${value}`);
}

function bodyLines(lead: string, body: unknown): readonly string[] {
  if (body === '') return [];
  const text = typeof body === 'string' ? body : JSON.stringify(body, undefined, 2);
  return text.split('\n').map((line) => `${lead}${line}`);
}

function resultLine(result: Tried['result'], paint: Call['paint']): string {
  switch (result.outcome) {
    case 'published':
      return paint('green', `published as generation ${result.generation}`);
    case 'superseded':
      return paint('yellow', 'discarded: the slot was purged meanwhile');
    case 'failed': {
      const again = result.retry_after_seconds === null ? '' : `, again in ${result.retry_after_seconds} s`;
      return paint('red', `failed: ${result.detail} (${result.code}${again})`);
    }
  }
}
