import { drawFlames } from '../flame/flame.ts';
import { type Profiled, startProfile } from '../flame/profile.ts';
import { mergeProfiles, sharesOf } from '../flame/stack.ts';
import { spread } from '../rounds.ts';
import { figure, type Section, type Table } from '../section.ts';
import type { TokenProcess } from '../system/token-process.ts';

/** Does the work of a herd with something around it. */
export type Around = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** The CPU time of a herd, by room and as a flame graph. */
export interface ProfiledHerd {
  readonly table: Table;
  readonly picture: NonNullable<Section['picture']>;
}

/** Profiles these processes and this one while herds of so many callers are served, and nothing before and after. */
export async function profileHerds(
  tokens: readonly TokenProcess[],
  { callers, rounds }: { readonly callers: number; readonly rounds: number },
  herd: (round: number, around: Around) => Promise<unknown>,
): Promise<ProfiledHerd> {
  const token: Profiled[] = [];
  const own: Profiled[] = [];
  const times: number[] = [];
  const around: Around = async (work) => {
    const ends = await Promise.all(tokens.map((each) => each.startProfile()));
    const endOwn = await startProfile();
    const began = performance.now();
    const result = await work();
    times.push(performance.now() - began);
    own.push(await endOwn());
    token.push(...(await Promise.all(ends.map((end) => end()))));
    return result;
  };
  for (let round = 0; round < rounds; round += 1) await herd(round, around);

  const herdMs = spread(times).median;
  const parts = [
    { name: `token, ${tokens.length} processes`, found: token },
    { name: 'callers, mint and stand-ins, one process', found: own },
  ].map(({ name, found }) => ({
    stack: mergeProfiles(
      name,
      found.map(({ profile }) => profile),
    ),
    cpuMs: spread(found.map(({ cpuMs }) => cpuMs)).median,
  }));
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const title = `CPU time of a herd of ${figure(callers)} over HTTP`;
  const stacks = parts.map(({ stack }) => stack);
  const shares = stacks.map(sharesOf);
  return {
    table: {
      columns: [title, ...stacks.map(({ name }) => name)],
      rows: [
        ...[...(shares[0]?.keys() ?? [])].map((room) => [
          room.room,
          ...shares.map((each) => percent(each.get(room) ?? 0)),
        ]),
        ['CPU ms of each process', ...parts.map(({ cpuMs }) => figure(cpuMs))],
        [`idle of its ${figure(herdMs)} ms`, ...parts.map(({ cpuMs }) => percent(1 - cpuMs / herdMs))],
      ],
    },
    picture: { file: 'herd.svg', title, svg: drawFlames(title, stacks) },
  };
}
