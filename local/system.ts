import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { CONFIGURATION_FILE } from '../functions/composition/environment.ts';
import { serializeConfiguration } from '../functions/configuration/bundle.ts';
import { resolveConnections } from '../functions/configuration/check.ts';
import type { Configuration } from '../functions/configuration/configuration.ts';
import { loadConfigurationFile } from '../functions/configuration/load-file.ts';
import type { Provider } from '../functions/core/slot/provider.ts';
import { type DynamodbFaultProxy, startDynamodbFaultProxy } from './aws/dynamodb-faults.ts';
import { createKeptSecretTable, type KeptSecretStore } from './aws/kept-secret-store.ts';
import { type LoopbackAws, startLoopbackAws } from './aws/loopback-aws.ts';
import { drawSecretAccessKey } from './aws/loopback-keys.ts';
import { createOperatorSecrets } from './aws/operator-secrets.ts';
import { createSecretEndpoint } from './aws/secret-endpoint.ts';
import { demoConnections } from './demo-connections.ts';
import { openDemoState } from './demo-state.ts';
import { type DemoUpstreams, startDemoUpstreams } from './demo-upstreams.ts';
import { startEmbeddedDynamodb } from './embedded-dynamodb.ts';
import type { Flags } from './flags.ts';
import { composeFunctions, environmentOf } from './functions.ts';
import { startGateway } from './gateway/gateway.ts';
import { invoke, type LocalFunction } from './lambda/invoke.ts';
import { deriveKey, openMasterKey } from './master-key.ts';
import { createActivity } from './pages/activity.ts';
import { createLocalPages } from './pages/local-pages.ts';
import { startSchedule } from './schedule.ts';
import { createMemorySecrets, joinSecrets, type LocalSecrets, type SecretNameOf } from './secret-source.ts';
import { openSecretsFile } from './secrets-file.ts';
import { joinSharedDynamodb } from './shared-dynamodb.ts';
import { demoSecretAt, hasExamples, standIn } from './stand-ins.ts';
import { StartError } from './start-error.ts';
import { makeTables } from './tables.ts';

/** ARN of the caller on loopback. */
export const CALLER = 'arn:aws:iam::000000000000:user/local';

/** Running broker on loopback. */
export interface LocalSystem {
  readonly url: string;
  readonly configuration: Configuration;
  readonly demo: DemoUpstreams | undefined;
  /** Stops everything; requests in flight end first. */
  close(): Promise<void>;
}

/** Controls of a running system's platform, for tests. */
export interface TestControls {
  /** Endpoint of the DynamoDB behind the faults. */
  readonly dynamodbEndpoint: string;
  readonly dynamodb: DynamodbFaultProxy['faults'];
  readonly aws: LoopbackAws['faults'];
  /** Runs the schedule's sweep once, now. */
  sweep(): Promise<void>;
  /** Waits for asynchronous invocations to end. */
  drain(): Promise<void>;
}

/** Parts of a system's start beside its flags. */
export interface Surroundings {
  readonly log: Writable;
  readonly report: (message: string) => void;
  /** Tests only: puts faults between the functions and the platform, and hands over their controls. */
  readonly onControls?: (controls: TestControls) => void;
  /** Called with the next values of a secret's fields before they are kept; if it fails, they are not kept either. */
  readonly onNextValues?: (connection: string, fields: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Tests only: secrets in place of those of the flags. */
  readonly secrets?: (options: SecretsOptions & { readonly nameOf: SecretNameOf }) => LocalSecrets;
}

/**
 * Boots the broker: functions, API, schedule, embedded DynamoDB, loopback AWS and, unless the flags say otherwise, the
 * demo upstreams. If one part cannot start, the parts before it are stopped and its error is thrown.
 */
export async function startSystem(
  flags: Flags,
  { log, report, onControls, onNextValues, secrets: ownSecrets }: Surroundings,
): Promise<LocalSystem> {
  const started = new AsyncDisposableStack();
  const add = <Part extends { close(): Promise<void> }>(part: Part) => started.adopt(part, (each) => each.close());
  try {
    const { connectionsFile } = flags;
    const wantsDemo =
      flags.demo || connectionsFile === undefined || (flags.standIns && (await hasExamples(connectionsFile)));
    const demoState = wantsDemo ? await openDemoState(flags.dataDir) : undefined;
    const isDemoAlone = flags.connectionsFile === undefined;
    // A connections file names the ports after the API's.
    const usable = demoState && (isDemoAlone ? demoState : { keys: demoState.keys });
    const demo = usable && add(await startDemoUpstreams(flags.port, usable));
    for (const moved of demo?.moved ?? []) report(`warning: ${moved}`);
    const configuration = await configurationOf(flags, demo, report);
    for (const warning of [...warningsOf(configuration, flags), ...(await warnOfAuthors(flags))]) {
      report(`warning: ${warning}`);
    }

    const dataDir = flags.dataDir === undefined ? {} : { dataDir: flags.dataDir };
    const masterKey = await openMasterKey(dataDir);
    // Set once the functions exist; before that a rotation concerns nobody.
    let rotate = (_connection: string): void => undefined;
    const secretsOptions = {
      versionKey: deriveKey(masterKey, 'secret versions'),
      onChange: (connection: string) => rotate(connection),
      report,
    };
    const secrets = add(
      ownSecrets?.({ ...secretsOptions, nameOf: secretNames(configuration) }) ??
        (await secretsOf(flags, configuration, demo, secretsOptions)),
    );
    const operators = createOperatorSecrets(secrets);
    const secretAccessKey = drawSecretAccessKey();
    // Tests put a proxy in front of the database, and the signature would name another host.
    const databaseKey = onControls === undefined ? { secretAccessKey } : {};
    const endpoint = flags.dynamodbUrl ?? add(await startEmbeddedDynamodb({ ...dataDir, ...databaseKey })).endpoint;
    const faulty = onControls && add(await startDynamodbFaultProxy(endpoint));
    const functions = new Map<string, LocalFunction>();
    const kept = add(createKeptSecretTable({ ...keptSecretsOf(configuration, endpoint), secretAccessKey, masterKey }));
    const aws = add(
      await startLoopbackAws({
        secretAccessKey,
        secrets,
        operators,
        kept: onNextValues === undefined ? kept : tellFirst(kept, configuration, onNextValues),
        masterKey,
        functions,
        onFunctionError: ({ functionName, reason }) => report(`${functionName}: ${reason}`),
      }),
    );

    // A file for the functions, as a deployment puts one beside their code.
    const folder = started.adopt(await mkdtemp(join(tmpdir(), 'token-broker-')), (made) =>
      rm(made, { recursive: true, force: true }),
    );
    const configurationFile = join(folder, CONFIGURATION_FILE);
    await writeFile(configurationFile, serializeConfiguration(configuration), { mode: 0o600 });
    const environment = environmentOf({
      dynamodbEndpoint: faulty?.endpoint ?? endpoint,
      awsEndpoint: aws.endpoint,
      configurationFile,
      secretAccessKey,
    });
    if (flags.dynamodbUrl === undefined) await makeTables(environment);
    else await joinSharedDynamodb(flags.dynamodbUrl, environment, masterKey);
    const activity = createActivity(log);
    const composed = composeFunctions(configuration, environment, activity.log);
    for (const [name, invocable] of composed.invocable) functions.set(name, invocable);

    const run = async (functionName: string, target: LocalFunction, event: unknown): Promise<void> => {
      const outcome = await invoke({ functionName, ...target }, event);
      if (outcome.kind === 'timed-out') report(`${functionName}: timed out`);
      if (outcome.kind !== 'failed') return;
      report(`${functionName}: ${outcome.error instanceof Error ? outcome.error.name : 'threw'}`);
    };
    rotate = (connection) => {
      const name = secretNames(configuration)(connection);
      const secret = secrets.current(name);
      // Without a value there is no version.
      if (typeof secret === 'object') void run('rotation', composed.rotation, rotationEvent(name, secret.versionId));
    };
    const sweep = () => run('refresh', composed.refresh, {});
    add(startSchedule(flags.refreshEverySeconds, sweep));
    if (faulty !== undefined) {
      onControls?.({ dynamodbEndpoint: endpoint, dynamodb: faulty.faults, aws: aws.faults, sweep, drain: aws.drain });
    }
    // Set once the gateway listens; its pages cannot be requested before.
    let url = '';
    const pages = add(
      createLocalPages({
        url: () => url,
        configuration,
        environment,
        activity,
        demo,
        caller: CALLER,
        sweep,
      }),
    );
    const gateway = add(
      await startGateway({
        port: flags.port,
        routes: composed.routes,
        caller: CALLER,
        requireSigv4: flags.requireSigv4,
        // The demo alone has nothing to hide.
        onlyThisUser: flags.connectionsFile !== undefined && !flags.otherUsers,
        pages: new Map([...pages.byRoute, ['POST /', createSecretEndpoint({ secrets, operators })]]),
        onError: ({ functionName, requestId }) => report(`${functionName}: failed, request ${requestId}`),
        onCut: (requests) => report(`Requests in flight that got no answer: ${requests}.`),
      }),
    );
    url = gateway.url;
    // Only now is it certain that no other process has the folder.
    if (demo !== undefined) await demoState?.keep(demo.ports);
    return { url, configuration, demo, close: () => started.disposeAsync() };
  } catch (error) {
    // The error of the start says more than errors of stopping.
    await started.disposeAsync().catch(() => undefined);
    throw error;
  }
}

interface SecretsOptions {
  readonly versionKey: Buffer;
  readonly onChange: (connection: string) => void;
  readonly report: (message: string) => void;
}

async function configurationOf(
  { connectionsFile, standIns }: Flags,
  demo: DemoUpstreams | undefined,
  report: (message: string) => void,
): Promise<Configuration> {
  if (connectionsFile !== undefined) {
    return loadConfigurationFile(connectionsFile, (declared) =>
      standIns && demo !== undefined ? standIn(declared, demo, report) : declared,
    );
  }
  if (demo === undefined) throw new Error('Without a connections file there are demo upstreams.');
  return resolveConnections(
    demoConnections({
      helpmaster: demo.helpmaster.baseUrl,
      community: demo.community.baseUrl,
      oauth: demo.oauth.baseUrl,
      issuer: demo.issuer.url,
    }),
  );
}

/** Opens the secrets: the demo's own in memory, and those of the file for all other connections. */
async function secretsOf(
  { connectionsFile, secretsFile, standIns }: Flags,
  configuration: Configuration,
  demo: DemoUpstreams | undefined,
  options: SecretsOptions,
): Promise<LocalSecrets> {
  const nameOf = secretNames(configuration);
  const demoOfStart = connectionsFile === undefined || standIns ? demo : undefined;
  const memory = createMemorySecrets({ ...options, nameOf });
  const required = new Map<string, Provider['secretFields']>();
  for (const { name, baseUrl, provider } of Object.values(configuration.connections)) {
    const secret = demoOfStart && demoSecretAt(baseUrl, demoOfStart);
    if (secret === undefined) required.set(name, provider.secretFields);
    else memory.put(name, { ...secret });
  }
  if (required.size === 0) return memory;
  if (secretsFile === undefined) {
    throw new StartError(
      `The credentials are missing. Put them into a file: ${formOf(required)}\n\`--secrets FILE\` names it; \`token-broker dev\` takes secrets.json where it is not given.`,
    );
  }
  const onChange = (connection: string): void => {
    options.report(`${secretsFile}: the credential of ${connection} has changed, and the new one is used.`);
    options.onChange(connection);
  };
  return joinSecrets(
    memory,
    await openSecretsFile({ ...options, nameOf, path: secretsFile, required, onChange, onBroken: options.report }),
  );
}

/** Writes the JSON that a secrets file must have: the fields that are required, with `…` for each value. */
function formOf(required: ReadonlyMap<string, Provider['secretFields']>): string {
  const wanted = [...required].map(([connection, fields]) => {
    const names = Object.keys(fields).filter((name) => fields[name]?.optional !== true);
    return [connection, Object.fromEntries(names.map((name) => [name, '…']))];
  });
  return JSON.stringify(Object.fromEntries(wanted));
}

/** Place and names of the secrets that the functions write: in the store of the slots, without the faults of a test. */
function keptSecretsOf({ connections }: Configuration, endpoint: string) {
  return { endpoint, names: new Set(Object.values(connections).flatMap(({ keptSecret }) => keptSecret ?? [])) };
}

/** Tells of each value before it is kept. */
function tellFirst(
  kept: KeptSecretStore,
  { connections }: Configuration,
  tell: NonNullable<Surroundings['onNextValues']>,
): KeptSecretStore {
  return {
    read: kept.read,
    async replace(name, seen, next) {
      const of = Object.values(connections).find(({ keptSecret }) => keptSecret === name);
      for (const [id, { value }] of Object.entries(next.versions)) {
        if (of === undefined || Object.hasOwn(seen.versions, id)) continue;
        // Written by `mint`, which puts the fields there.
        const { fields } = JSON.parse(value) as { readonly fields: Readonly<Record<string, unknown>> };
        await tell(of.name, fields);
      }
      return kept.replace(name, seen, next);
    },
  };
}

/**
 * Warnings of a connections file, and one for each connection whose refresh token rotates if there is no `--data`. The
 * demo's own connections are open on purpose, and have none.
 */
function warningsOf({ warnings, connections }: Configuration, { dataDir, connectionsFile }: Flags): readonly string[] {
  if (connectionsFile === undefined) return [];
  if (dataDir !== undefined) return warnings;
  const rotating = Object.values(connections).filter(({ keptSecret }) => keptSecret !== undefined);
  const lost = rotating.map(
    ({ name }) =>
      `connections.${name}: the refresh tokens that the upstream gives are in memory alone, and the one in your file is spent by then. Give --data DIR.`,
  );
  return [...warnings, ...lost];
}

/** Warns of what other users of this machine can change, and should not. */
async function warnOfAuthors({ connectionsFile, dataDir }: Flags): Promise<readonly string[]> {
  const other = 'other users of this machine can change';
  return [
    ...((await canOthersChange(connectionsFile))
      ? [`${other} ${connectionsFile}, and where your credential is sent: make it your own, and chmod o-w it`]
      : []),
    ...((await canOthersChange(dataDir))
      ? [`${other} ${dataDir}, and what is kept there: choose a folder of your own`]
      : []),
  ];
}

/** Reports whether another user, except root, owns a path, or everybody may write to it. Windows has no such bits. */
async function canOthersChange(path: string | undefined): Promise<boolean> {
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (found === undefined || process.platform === 'win32') return false;
  return ![userInfo().uid, 0].includes(found.uid) || (found.mode & 0o002) !== 0;
}

function secretNames({ connections }: Configuration): SecretNameOf {
  return (connection) => connections[connection]?.secret ?? connection;
}

/** Builds Secrets Manager's event for a new current version of a secret. */
function rotationEvent(name: string, versionId: string): unknown {
  return {
    source: 'aws.secretsmanager',
    'detail-type': 'Secret Label Updated',
    resources: [],
    detail: { name, labelUpdated: 'AWSCURRENT', versionId },
  };
}
