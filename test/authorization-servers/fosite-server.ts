import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('fosite', import.meta.url));
/** Everything that Go downloads and compiles; ignored by git, and made again when it is gone. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/authorization-servers', import.meta.url));
const PROGRAM = join(CACHE, 'fosite');

/** Clients, issuers and users of the server, as `fosite/main.go` reads them. */
export interface FositeSetup {
  readonly lifeSeconds: number;
  readonly clients: readonly {
    readonly id: string;
    readonly secret?: string;
    readonly method: string;
    readonly algorithm?: string;
    readonly key?: unknown;
    readonly grantTypes: readonly string[];
    readonly scopes: readonly string[];
  }[];
  /** Issuers of JWTs as grants, each for one subject. */
  readonly issuers: readonly {
    readonly name: string;
    readonly subject: string;
    readonly key: unknown;
    readonly scopes: readonly string[];
  }[];
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>;
}

/** Compiles an authorization server of ory/fosite, where that is not done yet, and starts it in a process of its own. */
export async function startFositeServer(setup: FositeSetup) {
  await mkdir(CACHE, { recursive: true });
  // Writable, or else not even `npm ci` could remove them.
  const go = { GOPATH: join(CACHE, 'go'), GOCACHE: join(CACHE, 'go-build'), GOFLAGS: '-modcacherw -mod=readonly' };
  await promisify(execFile)('go', ['build', '-o', PROGRAM, '.'], { cwd: SOURCE, env: { ...process.env, ...go } });
  const child = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(`${JSON.stringify(setup)}\n`);
  const [baseUrl] = await once(createInterface(child.stdout), 'line');
  return {
    baseUrl,
    /** Says what a token was issued for; undefined where it is not good. */
    async find(token: string): Promise<unknown> {
      const answer = await fetch(`${baseUrl}/found`, { headers: { authorization: `Bearer ${token}` } });
      return answer.ok ? answer.json() : undefined;
    },
    async close() {
      child.stdin.end();
      await once(child, 'close');
    },
  };
}
