import type { Profiler } from 'node:inspector';

/** Parts that share the time, each with its colour and the files it holds; the first that fits. The broker's are warm. */
const ROOMS = [
  { room: 'functions/core', colour: '#f9a66c', holds: /^functions\/core\// },
  { room: 'functions/adapters', colour: '#fccf6a', holds: /^functions\/adapters\// },
  { room: 'functions, the rest', colour: '#fbe79a', holds: /^functions\// },
  { room: '@smithy', colour: '#c5b3e6', holds: /^node_modules\/@smithy\// },
  { room: '@aws-sdk', colour: '#e3bce8', holds: /^node_modules\/@aws-sdk\// },
  { room: 'undici', colour: '#b4d8a8', holds: /^node_modules\/undici\// },
  { room: 'node:crypto, tls', colour: '#7fcdbb', holds: /^node:.*(?:crypto|tls)/ },
  { room: 'node:http, net', colour: '#a6cbe8', holds: /^node:.*(?:http|net|stream)/ },
  { room: 'node, the rest', colour: '#d3e2ef', holds: /^node:/ },
  { room: 'local/gateway, for API Gateway', colour: '#c9b79c', holds: /^local\/gateway\// },
  { room: 'local, the other stand-ins', colour: '#e0d6c2', holds: /^local\// },
  { room: 'bench, the callers', colour: '#dbe8a5', holds: /^bench\// },
  { room: 'garbage collection', colour: '#f2a9a9', holds: /^\(garbage collector\)$/ },
  { room: 'outside JavaScript', colour: '#bdbdbd', holds: /^\(program\)$/ },
  { room: 'others', colour: '#e8e8e8', holds: /./ },
] as const;
const REPOSITORY = new URL('../../', import.meta.url).href;

export type Room = (typeof ROOMS)[number];

/** One function under the same callers in every profile; samples, of itself alone and with all that it calls. */
export interface Frame {
  readonly name: string;
  /** File of the repository, of a package or of Node, and line; empty where V8 names none. */
  readonly place: string;
  /** None of the processes themselves. */
  readonly room: Room | undefined;
  own: number;
  all: number;
  readonly callees: Map<string, Frame>;
}

/** Merges profiles of processes that do the same into one stack under `name`, idle time left out. */
export function mergeProfiles(name: string, profiles: readonly Profiler.Profile[]): Frame {
  const root = frameOf(name, '', undefined);
  for (const { nodes } of profiles) {
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const add = (to: Frame, { hitCount = 0, children = [] }: Profiler.ProfileNode): number => {
      const called = children.flatMap((id) => byId.get(id) ?? []).filter((node) => !isIdle(node));
      const all = called.reduce((sum, node) => sum + add(calleeOf(to, node.callFrame), node), hitCount);
      to.own += hitCount;
      to.all += all;
      return all;
    };
    if (nodes[0] !== undefined) add(root, nodes[0]);
  }
  return root;
}

/** The share of each room in the samples of a stack: what its own functions take. Rooms come in the order of the legend. */
export function sharesOf(stack: Frame): ReadonlyMap<Room, number> {
  const shares = new Map<Room, number>(ROOMS.map((room) => [room, 0]));
  const walk = ({ room, own, callees }: Frame): void => {
    if (room !== undefined) shares.set(room, (shares.get(room) ?? 0) + own / stack.all);
    for (const callee of callees.values()) walk(callee);
  };
  walk(stack);
  return shares;
}

function isIdle({ callFrame }: Profiler.ProfileNode): boolean {
  return callFrame.functionName === '(idle)';
}

function calleeOf(caller: Frame, { functionName, url, lineNumber }: Profiler.ProfileNode['callFrame']): Frame {
  const ours = url.startsWith(REPOSITORY) ? url.slice(REPOSITORY.length) : '';
  const file = /(?:^node:|node_modules\/).*/.exec(url)?.[0] ?? ours;
  const place = file === '' ? '' : `${file}:${lineNumber + 1}`;
  const key = `${functionName} ${place}`;
  const known = caller.callees.get(key);
  if (known !== undefined) return known;
  // A function of V8 itself or of WebAssembly works for its caller.
  const isNative = file === '' && !functionName.startsWith('(');
  const room = isNative ? caller.room : ROOMS.find(({ holds }) => holds.test(file || functionName));
  const callee = frameOf(functionName || place.replace(/.*\//, ''), place, room);
  caller.callees.set(key, callee);
  return callee;
}

function frameOf(name: string, place: string, room: Room | undefined): Frame {
  return { name, place, room, own: 0, all: 0, callees: new Map() };
}
