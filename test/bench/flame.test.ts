import type { Profiler } from 'node:inspector';
import { describe, expect, it } from 'vitest';
import { drawFlames } from '../../bench/flame/flame.ts';
import { startProfile } from '../../bench/flame/profile.ts';
import { mergeProfiles, sharesOf } from '../../bench/flame/stack.ts';

const repository = new URL('../../', import.meta.url).href;

/** A function on the stack, with the samples of its own, and what it calls. */
interface Called {
  readonly name: string;
  readonly url?: string;
  readonly hits: number;
  readonly calls?: readonly Called[];
}

/** A profile as V8 gives it: a list of nodes, of which `firstId` is the root. */
function profileOf(firstId: number, calls: readonly Called[]): Profiler.Profile {
  const nodes: Profiler.ProfileNode[] = [];
  const add = ({ name, url = '', hits, calls: inner = [] }: Called): number => {
    const id = firstId + nodes.length;
    const children: number[] = [];
    const callFrame = { functionName: name, scriptId: '1', url, lineNumber: 41, columnNumber: 0 };
    nodes.push({ id, callFrame, hitCount: hits, children });
    children.push(...inner.map(add));
    return id;
  };
  add({ name: '(root)', hits: 0, calls });
  return { nodes, startTime: 0, endTime: 1 };
}

const ask = { name: 'ask<T>', url: `${repository}functions/core/hand-out/hand-out.ts` };
const first = profileOf(1, [
  { name: '(idle)', hits: 5_000 },
  { name: '(garbage collector)', hits: 100 },
  { name: 'tick', url: 'node:internal/process/task_queues', hits: 0, calls: [{ ...ask, hits: 200 }] },
]);
const second = profileOf(7, [
  {
    name: 'tick',
    url: 'node:internal/process/task_queues',
    hits: 299,
    calls: [{ ...ask, hits: 100, calls: [{ name: 'parse', hits: 300 }] }],
  },
  { name: '', url: 'file:///elsewhere/node_modules/@smithy/core/dist/index.js', hits: 1 },
]);

/** The rectangle of a frame by its title: where it begins, how wide it is, its colour, and the text on it. */
function drawnAs(svg: string, title: string) {
  const at = svg.indexOf(`<title>${title}</title>`);
  const frame = svg.slice(at, svg.indexOf('</g>', at));
  const [, x, y, width, fill] = /<rect x="(.*?)" y="(.*?)" width="(.*?)" height="16" fill="(.*?)"/.exec(frame) ?? [];
  return { x: Number(x), y: Number(y), width: Number(width), fill, text: /<text .*?>(.*?)<\/text>/.exec(frame)?.[1] };
}

describe('stacks of profiles', () => {
  const stack = mergeProfiles('token', [first, second]);
  const shares = new Map(
    sharesOf(stack)
      .entries()
      .map(([{ room }, share]) => [room, share]),
  );

  it('merge what has the same callers, and leave idle time out', () => {
    expect(stack.all).toBe(1_000);
    expect([...stack.callees.values()].map(({ name, all }) => [name, all])).toEqual([
      ['(garbage collector)', 100],
      ['tick', 899],
      ['index.js:42', 1],
    ]);
  });

  it('count each function for its room, and one of V8 for its caller’s', () => {
    expect(shares.get('functions/core')).toBe(0.6);
    expect(shares.get('node, the rest')).toBe(0.299);
    expect(shares.get('garbage collection')).toBe(0.1);
    expect(shares.get('@smithy')).toBe(0.001);
    expect(shares.values().reduce((sum, share) => sum + share)).toBeCloseTo(1);
  });

  it('name files of the repository, of packages and of Node, never a folder of this machine', () => {
    const places = [...stack.callees.values()].map(({ place }) => place);
    expect(places).toEqual(['', 'node:internal/process/task_queues:42', 'node_modules/@smithy/core/dist/index.js:42']);
  });

  it('are seen in a process that works', async () => {
    const end = await startProfile();
    const until = performance.now() + 50;
    while (performance.now() < until) JSON.parse('[1]');
    const { profile, cpuMs } = await end();

    expect(cpuMs).toBeGreaterThan(0);
    expect(mergeProfiles('test', [profile]).all).toBeGreaterThan(0);
  });
});

describe('a flame graph', () => {
  const svg = drawFlames('A herd & its time', [mergeProfiles('token', [first, second])]);

  it('has a frame as wide as its share, on its caller', () => {
    const root = drawnAs(svg, 'token: 100.0 %');
    const tick = drawnAs(svg, 'tick node:internal/process/task_queues:42: 89.9 %');
    const core = drawnAs(svg, 'ask&lt;T&gt; functions/core/hand-out/hand-out.ts:42: 60.0 %');
    expect([root.x, root.width]).toEqual([10, 979.6]);
    expect([tick.x, tick.width, tick.y]).toEqual([10, 880.6, root.y - 17]);
    expect([core.x, core.width, core.y]).toEqual([10, 587.6, tick.y - 17]);
    expect(drawnAs(svg, '(garbage collector): 10.0 %').x).toBe(891);
    expect(core.fill).not.toBe(tick.fill);
  });

  it('escapes its text, and clips it to the frame', () => {
    expect(drawnAs(svg, 'ask&lt;T&gt; functions/core/hand-out/hand-out.ts:42: 60.0 %').text).toBe('ask&lt;T&gt;');
    expect(drawnAs(svg, '(garbage collector): 10.0 %').text).toBe('(garbage col…');
    expect(svg).toContain('A herd &amp; its time</text>');
  });

  it('leaves out what is under 0.3 %, in the legend too', () => {
    expect(svg).not.toContain('smithy');
    expect(svg.match(/<g>/g)).toHaveLength(5);
    expect(svg).toContain('functions/core</text>');
  });
});
