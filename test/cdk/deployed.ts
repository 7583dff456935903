import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import recommendedFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { afterAll } from 'vitest';
import type { TokenBroker, TokenBrokerProps } from '../../cdk/token-broker.ts';
import { TokenBrokerStack } from '../../cdk/token-broker-stack.ts';
import {
  type ConnectionDeclaration,
  defineConnections,
  type TrustDeclaration,
} from '../../functions/configuration/declaration.ts';
import { wholeTemplateOf } from './whole-template.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';

/** Two connections as an operator would declare them: `helpdesk` with a proxy, `wfm` without. */
export const declared = {
  helpdesk: {
    provider: 'helpmaster',
    baseUrl: 'https://helpmaster.example.com/api',
    subjects: { system: true, staff: ['88', '42'] },
    proxy: { methods: ['GET', 'POST'], paths: ['/tickets'] },
  },
  wfm: { provider: 'community-web-api', baseUrl: 'https://wfm.example.com/api', keepAlivePath: '/keep' },
} satisfies Record<string, ConnectionDeclaration>;

/** A connection whose refresh token rotates, with a proxy. */
export const rotating: ConnectionDeclaration = {
  provider: 'oauth-refresh-token',
  baseUrl: 'https://books.example.com',
  proxy: {},
};

const outdirs: string[] = [];
afterAll(() => {
  for (const outdir of outdirs.splice(0)) rmSync(outdir, { recursive: true, force: true });
});

/** A workload outside AWS, for the exchange. */
export const trustedWorkload: TrustDeclaration = {
  issuer: 'https://issuer.example.com',
  audience: 'token-broker',
  subject: 'workload',
  connections: ['wfm'],
};

/** Changes to the deployment under test. */
export interface DeployedOptions extends Partial<Omit<TokenBrokerProps, 'connections'>> {
  readonly connections?: Readonly<Record<string, ConnectionDeclaration>>;
  readonly strictAudit?: boolean;
  /** Callers in the configuration, beside those of the construct. */
  readonly configured?: readonly string[];
  readonly trust?: readonly TrustDeclaration[];
  /** Adds to the stack before it is synthesized. */
  readonly build?: (stack: Stack, broker: TokenBroker) => void;
  readonly beforeSynth?: (app: App) => void;
}

/** Synthesizes the stack and its nested stacks in this process, as one template, without bundling any code; what it writes goes with the test. */
export function deployed(options: DeployedOptions = {}) {
  const {
    connections = declared,
    strictAudit = false,
    trust = [],
    configured = [],
    build,
    beforeSynth,
    ...props
  } = options;
  const app = newApp();
  const stack = new TokenBrokerStack(app, 'TokenBroker', {
    env: { account: ACCOUNT, region: REGION },
    broker: () => ({
      ...props,
      connections: defineConnections({ connections, strictAudit, trust, callers: [...configured] }),
    }),
  });
  build?.(stack, stack.broker);
  beforeSynth?.(app);
  return { app, stack, broker: stack.broker, template: wholeTemplateOf(app, stack) };
}

/** An app, by default with the flags of `cdk.json`, that bundles nothing. */
export function newApp(flags: Readonly<Record<string, unknown>> = recommendedFlags): App {
  const outdir = mkdtempSync(join(tmpdir(), 'token-broker-synth-'));
  outdirs.push(outdir);
  return new App({
    outdir,
    builtinCloudFormationValidation: false,
    context: { ...flags, 'aws:cdk:bundling-stacks': [] },
  });
}

/** The construct id of a resource of the broker, without the digits that make a logical id of it. */
export function nameOf(logicalId: string): string {
  return logicalId.replace(/^Broker/, '').slice(0, -8);
}

export type { TokenBroker };
