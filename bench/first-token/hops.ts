import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

/** One request that this process sent; times as `performance.now()` has them. */
export interface Hop {
  /** The AWS operation, `Invoke`, or `login`. */
  readonly name: string;
  readonly began: number;
  readonly ended: number;
}

// The later message `http.client.request.start` comes when a request was flushed, which may be as its answer arrives.
const STARTED = 'http.client.request.created';
const FINISHED = 'http.client.response.finish';

/** Times every request to one of these hosts, from when it is made to the end of its answer, while `work` is done. */
export async function recordHops(hosts: ReadonlySet<string>, work: () => Promise<unknown>): Promise<readonly Hop[]> {
  const began = new Map<unknown, number>();
  const hops: Hop[] = [];
  // Node's own messages of these channels.
  const onStart = (message: unknown) => began.set((message as Message).request, performance.now());
  const onFinish = (message: unknown) => {
    const { request } = message as Message;
    const at = began.get(request);
    if (at !== undefined && hosts.has(String(request.getHeader('host'))))
      hops.push({ name: nameOf(request), began: at, ended: performance.now() });
  };
  subscribe(STARTED, onStart);
  subscribe(FINISHED, onFinish);
  try {
    await work();
  } finally {
    unsubscribe(STARTED, onStart);
    unsubscribe(FINISHED, onFinish);
  }
  return hops.toSorted((one, other) => one.began - other.began);
}

interface Message {
  readonly request: ClientRequest;
}

function nameOf(request: ClientRequest): string {
  const target = request.getHeader('x-amz-target');
  if (typeof target === 'string') return target.split('.').at(-1) ?? target;
  return request.path.includes('/invocations') ? 'Invoke' : 'login';
}
