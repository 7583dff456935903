import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Configuration } from '../functions/configuration/configuration.ts';
import { loadConfigurationFile } from '../functions/configuration/load-file.ts';
import type { BrokerCanary } from './canary.ts';
import type { ConcurrencyProps } from './concurrency.ts';
import { brokerNameOf, checkBrokerName, DEFAULT_BROKER_NAME } from './names.ts';
import { ROLLOUTS, type Rollout } from './rollout.ts';
import type { TokenBrokerProps } from './token-broker.ts';

/** Names another file that declares the connections than `cdk/connections.ts`. */
const CONNECTIONS_VARIABLE = 'TOKEN_BROKER_CONNECTIONS';

/** Loads the connections that are to be deployed. Throws `ConfigurationError`. */
export function loadDeclared(): Promise<Configuration> {
  return loadConfigurationFile(process.env[CONNECTIONS_VARIABLE] ?? join(import.meta.dirname, 'connections.ts'));
}

const CONCURRENCY = [
  'tokenConcurrency',
  'mintConcurrency',
  'proxyConcurrency',
  'waitsPerConnection',
] as const satisfies readonly (keyof ConcurrencyProps)[];

/** The stack's settings, from `--context KEY=VALUE`; every key is optional. */
export interface Settings {
  readonly name: string;
  /** The properties of how many executions there may be at once, those that are given. */
  readonly concurrency: ConcurrencyProps;
  readonly tracing: boolean;
  readonly dashboard: boolean;
  readonly rollout: Rollout | undefined;
  readonly canary: BrokerCanary | undefined;
  /** True if the stack cannot be deleted before this is taken off again. */
  readonly terminationProtection: boolean;
  /** Tags of the stack, which CloudFormation puts on its resources too. */
  readonly tags: Readonly<Record<string, string>>;
  readonly callers: readonly string[];
  /** VPC endpoints of a private API; empty for one on the internet. */
  readonly vpcEndpoints: readonly string[];
  readonly apiResources: number | undefined;
  /** Reads and writes a second that the table is made ready for. */
  readonly warm: { readonly reads: number; readonly writes: number } | undefined;
  readonly webAclArn: string | undefined;
  readonly apiLogRole: boolean;
  readonly alarmTopicArn: string | undefined;
  readonly domain: { readonly domainName: string; readonly certificateArn: string } | undefined;
}

/** Reads the settings from the app's context. Throws for a value that cannot be meant. */
export function readSettings(app: App): Settings {
  const text = (key: string): string | undefined => {
    const value: unknown = app.node.tryGetContext(key);
    if (value === undefined || value === '') return undefined;
    return String(value);
  };
  const list = (key: string): readonly string[] => (text(key) ?? '').split(',').filter((each) => each !== '');
  const countOf = (key: string): number | undefined => {
    const value = text(key);
    return value === undefined ? undefined : parseCount(key, value);
  };
  const [stage, brokerName] = [text('stage'), text('brokerName')];
  if (stage !== undefined && brokerName !== undefined) {
    throw new Error('stage and brokerName both name the broker: give one of them.');
  }
  const [warmReads, warmWrites] = [countOf('warmReads'), countOf('warmWrites')];
  if ((warmReads === undefined) !== (warmWrites === undefined)) {
    throw new Error('warmReads and warmWrites go together: give both or none.');
  }
  const domainName = text('domainName');
  const certificateArn = text('certificateArn');
  if ((domainName === undefined) !== (certificateArn === undefined)) {
    throw new Error('domainName and certificateArn go together: give both or none.');
  }
  return {
    name: checkBrokerName(stage === undefined ? (brokerName ?? DEFAULT_BROKER_NAME) : brokerNameOf(stage)),
    concurrency: Object.fromEntries(
      CONCURRENCY.flatMap((key) => {
        const value = countOf(key);
        return value === undefined ? [] : [[key, value]];
      }),
    ),
    tracing: text('tracing') === 'true',
    dashboard: text('dashboard') === 'true',
    rollout: parseRollout(text('rollout')),
    canary: parseCanary(text('canary')),
    terminationProtection: text('terminationProtection') === 'true',
    tags: Object.fromEntries(list('tags').map(parseTag)),
    callers: [...list('callers'), ...list('allowMe')],
    vpcEndpoints: list('vpcEndpoints'),
    apiResources: countOf('apiResources'),
    warm: warmReads === undefined || warmWrites === undefined ? undefined : { reads: warmReads, writes: warmWrites },
    webAclArn: text('webAclArn'),
    apiLogRole: text('apiLogRole') !== 'false',
    alarmTopicArn: text('alarmTopicArn'),
    domain: domainName === undefined || certificateArn === undefined ? undefined : { domainName, certificateArn },
  };
}

/** The construct's properties that settings stand for; what they name by ARN is looked at from within `scope`. */
export function buildProps(scope: Construct, settings: Settings): Omit<TokenBrokerProps, 'connections'> {
  const { name, callers, vpcEndpoints, apiResources, warm, webAclArn, apiLogRole } = settings;
  const { concurrency, tracing, dashboard, rollout, canary, alarmTopicArn, domain } = settings;
  return {
    name,
    tracing,
    dashboard,
    callers,
    apiLogRole,
    ...(vpcEndpoints.length === 0 ? {} : { endpoint: { private: vpcEndpoints } }),
    ...(apiResources === undefined ? {} : { apiResources }),
    ...(warm === undefined
      ? {}
      : { warmThroughput: { readUnitsPerSecond: warm.reads, writeUnitsPerSecond: warm.writes } }),
    ...(webAclArn === undefined ? {} : { webAclArn }),
    ...concurrency,
    ...(rollout === undefined ? {} : { rollout }),
    ...(canary === undefined ? {} : { canary }),
    ...(alarmTopicArn === undefined ? {} : { alarmTopic: Topic.fromTopicArn(scope, 'AlarmTopic', alarmTopicArn) }),
    ...(domain === undefined
      ? {}
      : {
          domain: {
            domainName: domain.domainName,
            certificate: Certificate.fromCertificateArn(scope, 'Certificate', domain.certificateArn),
          },
        }),
  };
}

function parseCount(key: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${key} must be a whole number from 1.`);
}

function parseRollout(text: string | undefined): Rollout | undefined {
  const found = ROLLOUTS.find((each) => each === text);
  if (text === undefined || found !== undefined) return found;
  throw new Error(`rollout is one of ${ROLLOUTS.join(', ')}; ${text} is not.`);
}

function parseCanary(text: string | undefined): BrokerCanary | undefined {
  if (text === undefined) return undefined;
  const [connection = '', subject, ...more] = text.split('/');
  if (connection === '' || subject === '' || more.length > 0) {
    throw new Error(`canary is CONNECTION or CONNECTION/SUBJECT; ${text} is not.`);
  }
  return { connection, ...(subject === undefined ? {} : { subject }) };
}

function parseTag(text: string): readonly [string, string] {
  const [, key, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (key !== undefined && value !== undefined) return [key, value];
  throw new Error(`tags are KEY=VALUE, with commas between; ${text} is not.`);
}
