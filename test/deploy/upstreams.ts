import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionDeclaration } from '../../functions/configuration/declaration.ts';
import type { Place } from './place.ts';

/** The addresses of the upstreams that a declaration needs. */
interface UpstreamAddresses {
  readonly demo: {
    readonly [Name in 'helpmaster' | 'community' | 'oauth']: Pick<Place['demo'][Name], 'baseUrl'>;
  } & { readonly issuer: Pick<Place['demo']['issuer'], 'url'> };
}

/** Connections as an operator would declare them, on the demo upstreams; a Community token is soon due. */
function declare({ demo }: UpstreamAddresses) {
  return {
    helpdesk: { provider: 'helpmaster', baseUrl: demo.helpmaster.baseUrl, memorySeconds: 5, proxy: {} },
    wfm: {
      provider: 'community-web-api',
      baseUrl: demo.community.baseUrl,
      keepAlivePath: '/SingleRecurringEvent',
      lifetimeSeconds: 100,
      refreshAfter: 0.2,
      minTtlSeconds: 5,
      memorySeconds: 0,
    },
  } satisfies Record<string, ConnectionDeclaration>;
}

/** Writes a declaration of these connections, and gives the name of its file. */
export function writeConnections(place: Place, names: readonly ('helpdesk' | 'wfm')[] = ['helpdesk', 'wfm']): string {
  const all = declare(place);
  return writeDeclaration(place, names.join('-'), {
    connections: Object.fromEntries(names.map((name) => [name, all[name]])),
  });
}

/** Declares a connection of each kind, a rule of trust and a strict audit; a Community token is due 1.2 s after it came. */
export function declareEveryKind({ demo }: UpstreamAddresses) {
  const { helpdesk, wfm } = declare({ demo });
  return {
    connections: {
      helpdesk: { ...helpdesk, memorySeconds: 0, renewalCooldownSeconds: 0 },
      wfm: { ...wfm, lifetimeSeconds: 1200, refreshAfter: 0.001, proxy: {}, renewalCooldownSeconds: 0 },
      books: { provider: 'oauth-refresh-token-basic', baseUrl: demo.oauth.baseUrl, memorySeconds: 0, proxy: {} },
    } satisfies Record<string, ConnectionDeclaration>,
    strictAudit: true,
    trust: [
      {
        issuer: demo.issuer.url,
        audience: 'token-broker',
        subject: 'workload',
        once: true,
        connections: ['helpdesk', 'wfm'],
        subjects: ['system', '88', '42'],
      },
    ],
  };
}

/** Writes the declaration of a connection of each kind, and gives the name of its file. */
export function writeEveryKind(place: Place): string {
  return writeDeclaration(place, 'every-kind', declareEveryKind(place));
}

/** Writes a declaration of connections, and gives the name of its file. */
export function writeDeclaration({ scratch }: Place, name: string, declaration: object): string {
  const file = join(scratch, `${name}.connections.json`);
  writeFileSync(file, JSON.stringify(declaration));
  return file;
}

/** The file whose name the document tells the operator to write a credential to. */
export function writeSecret({ scratch }: Place, connection: string, value: object): void {
  writeFileSync(join(scratch, `${connection}.json`), JSON.stringify(value), { mode: 0o600 });
}

/** Reads what a demo upstream noted. */
export async function readLedger(url: string): Promise<{
  readonly logins: readonly unknown[];
  readonly slides: readonly unknown[];
  readonly calls: readonly unknown[];
}> {
  const response = await fetch(`${url}/__demo/ledger`);
  // The demo upstream is this project's own.
  return (await response.json()) as { logins: unknown[]; slides: unknown[]; calls: unknown[] };
}

/** Sets knobs of a demo upstream. */
export async function setKnobs(url: string, knobs: object): Promise<void> {
  const response = await fetch(`${url}/__demo/knobs`, { method: 'PUT', body: JSON.stringify(knobs) });
  assert.equal(response.status, 200, await response.text());
}

/** Looks once a second until there is something, or throws. */
export async function until<T>(withinMs: number, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + withinMs; ; await sleep(1_000)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`It did not come to pass within ${withinMs / 1000} s.`);
  }
}
