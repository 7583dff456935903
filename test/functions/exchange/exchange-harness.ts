import { demoCommunitySecret, startDemoCommunity } from '../../../local/demo/community.ts';
import type { DemoUpstream } from '../../../local/demo/demo-upstream.ts';
import { demoHelpmasterSecret, type HelpmasterKnobs, startDemoHelpmaster } from '../../../local/demo/helpmaster.ts';
import { type DemoIssuer, startDemoIssuer } from '../../../local/demo/issuer.ts';
import type { WorkloadClaims } from '../../../local/demo/issuer-keyring.ts';
import { type Received, send } from '../../local/demo/demo-client.ts';
import { startSystemUnderTest } from '../../system/system-under-test.ts';

export const AUDIENCE = 'https://broker.example';
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** A workload that the rules of `startExchangeHarness` trust with `helpdesk`, as the system and as staff member 88. */
export const deployer: WorkloadClaims = { aud: AUDIENCE, sub: 'repo:acme/deploy:ref:refs/heads/main' };

/** The broker with an issuer that it trusts. */
export interface ExchangeHarness {
  readonly url: string;
  readonly issuer: DemoIssuer;
  /** Trusted by two rules, of which one says where its keys are. */
  readonly secondIssuer: DemoIssuer;
  readonly helpmaster: DemoUpstream<HelpmasterKnobs>;
  /** Posts a form; a list is a parameter given so many times. */
  post(form: Readonly<Record<string, string | readonly string[]>>): Promise<Received>;
  /** Exchanges a token for one of `helpdesk`, with further or other parameters. */
  exchange(subjectToken: string, parameters?: Readonly<Record<string, string>>): Promise<Received>;
  /** Everything logged so far. */
  logged(): string;
  close(): Promise<void>;
}

/** Rules for two issuers, made so that each test has one that nearly fits. */
function trustOf(issuer: DemoIssuer, second: DemoIssuer): readonly Record<string, unknown>[] {
  const main = { issuer: issuer.url, audience: AUDIENCE };
  return [
    { ...main, subject: deployer.sub, connections: ['helpdesk'], subjects: ['system', '88'] },
    {
      ...main,
      subject: 'repo:acme/*:environment:prod',
      claims: { repository_owner: 'acme', run_attempt: 1, protected: true },
      connections: ['wfm'],
    },
    { ...main, subject: 'alone', connections: ['alone', 'helpdesk'] },
    {
      issuer: second.url,
      jwksUri: second.jwksUri,
      audience: AUDIENCE,
      subject: 'second',
      connections: ['helpdesk'],
      subjects: ['42'],
    },
    { issuer: second.url, audience: AUDIENCE, subject: 'tools', connections: ['helpdesk'], subjects: ['1'] },
  ];
}

/**
 * Starts the whole system in this process with connections `helpdesk`, `wfm` and `alone` (tokensOverlap false), and
 * rules for two issuers, or those of the test's own.
 */
export async function startExchangeHarness({
  trust: rulesOf = trustOf,
}: {
  readonly trust?: (issuer: DemoIssuer, second: DemoIssuer) => readonly Record<string, unknown>[];
} = {}): Promise<ExchangeHarness> {
  const [issuer, secondIssuer, helpmaster, community] = await Promise.all([
    startDemoIssuer(),
    startDemoIssuer(),
    startDemoHelpmaster(),
    startDemoCommunity(),
  ]);
  const wfm = { provider: 'community-web-api', baseUrl: community.baseUrl };
  const connections = {
    helpdesk: { provider: 'helpmaster', baseUrl: helpmaster.baseUrl },
    wfm,
    alone: { ...wfm, tokensOverlap: false, proxy: {} },
  };
  const secrets = { helpdesk: demoHelpmasterSecret, wfm: demoCommunitySecret, alone: demoCommunitySecret };
  const trust = rulesOf(issuer, secondIssuer);
  const system = await startSystemUnderTest({ connections, trust, secrets, flags: ['--require-sigv4'] });

  const post: ExchangeHarness['post'] = (form) => {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(form)) {
      for (const each of [value].flat()) body.append(name, each);
    }
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return send(`${system.url}/oauth2/token`, { method: 'POST', headers, body: body.toString() });
  };
  return {
    url: system.url,
    issuer,
    secondIssuer,
    helpmaster,
    post,
    exchange: (subjectToken, parameters = {}) =>
      post({
        grant_type: TOKEN_EXCHANGE,
        subject_token: subjectToken,
        subject_token_type: JWT_TYPE,
        audience: 'helpdesk',
        ...parameters,
      }),
    logged: system.log,
    async close() {
      await system.close();
      await Promise.all([issuer, secondIssuer, helpmaster, community].map((server) => server.close()));
    },
  };
}

/** Summarizes an answer: its status, and its error or the subject of its token. */
export function gistOf({ status, json }: Received): string {
  return `${status} ${String(json?.['error'] ?? json?.['subject'] ?? '')}`.trim();
}
