import { Pool } from 'undici';

/** One answer: its status, what its body says, and how long it took. */
export interface Answered {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  readonly ms: number;
}

/** Callers over HTTP, each with a connection of its own, spread over the servers. */
export interface Callers {
  /** Opens the connection of every caller, with a request that no function sees. */
  open(): Promise<void>;
  /** One caller asks once. */
  askOne(path: string): Promise<Answered>;
  /** Every caller asks once, all at the same time. */
  askAll(path: string): Promise<readonly Answered[]>;
  /** The first so many callers ask on and on until the time is over; milliseconds of each answer. */
  askFor(callers: number, path: string, durationMs: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Creates so many callers, who send these headers; their connections open as they are needed. */
export function createCallers(
  urls: readonly string[],
  callers: number,
  headers: Readonly<Record<string, string>> = {},
): Callers {
  const pools = urls.map((url) => new Pool(url, { connections: Math.ceil(callers / urls.length), pipelining: 1 }));
  const poolOf = (caller: number): Pool => {
    const pool = pools[caller % pools.length];
    if (pool === undefined) throw new Error('There is no server to ask.');
    return pool;
  };

  async function ask(caller: number, path: string): Promise<Answered> {
    const began = performance.now();
    const { statusCode, body } = await poolOf(caller).request({ path, method: 'GET', headers });
    const text = await body.text();
    const ms = performance.now() - began;
    return { status: statusCode, json: JSON.parse(text), ms };
  }

  async function askAndDrop(caller: number, path: string): Promise<number> {
    const began = performance.now();
    const { statusCode, body } = await poolOf(caller).request({ path, method: 'GET', headers });
    await body.arrayBuffer();
    if (statusCode !== 200) throw new Error(`The server answered ${statusCode}.`);
    return performance.now() - began;
  }

  return {
    async open() {
      const knock = async (caller: number) => {
        const { body } = await poolOf(caller).request({ path: '/', method: 'GET' });
        await body.arrayBuffer();
      };
      await Promise.all(Array.from({ length: callers }, (_, caller) => knock(caller)));
    },
    askOne: (path) => ask(0, path),
    askAll: (path) => Promise.all(Array.from({ length: callers }, (_, caller) => ask(caller, path))),
    async askFor(count, path, durationMs) {
      const until = performance.now() + durationMs;
      const times: number[] = [];
      const work = async (caller: number) => {
        while (performance.now() < until) times.push(await askAndDrop(caller, path));
      };
      await Promise.all(Array.from({ length: count }, (_, caller) => work(caller)));
      return times;
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}
