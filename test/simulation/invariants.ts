import type { Watch } from './happenings.ts';
import {
  breakersOpenOnEvidence,
  openBreakersLetOneThrough,
  permitsAreGivenBack,
  waitsAreFew,
} from './invariants-of-breaker.ts';
import { candidatesBecomeCurrentByAToken, candidatesLeaveTheCurrent } from './invariants-of-candidates.ts';
import {
  aGoodTokenIsHandedOut,
  aReportedTokenIsNotGivenBack,
  everyHandOutIsAudited,
  everyHandOutIsUsable,
  everyRequestIsAnswered,
  noHandOutIsTooOld,
  onlyIssuedTokensAreStored,
  subjectsNeverMix,
  youngTokensAreNotRenewed,
} from './invariants-of-hand-outs.ts';
import {
  failedLoginsAreFew,
  loginsAreCounted,
  noLoginWithARefusedVersion,
  reactionsAreAMinuteApart,
  refusalsStopTheConnection,
  theAccountIsNotLocked,
  unprovenVersionsAreRefusedThrice,
  unprovenVersionsGoOneAtATime,
} from './invariants-of-logins.ts';
import {
  aPurgedAttemptIsDiscarded,
  everyLeaseCarriesItsBackOff,
  everyLoginHasItsReason,
  everyRequestIsSentUnderItsLease,
  exclusiveCallsComeOneAtATime,
  generationsAdvance,
  leasesAreEndedByTheirHolders,
  logoutsEndPurgedTokensAlone,
  noSessionIsTooOld,
  oneRequestInFlight,
  renewalsDelayNoLogin,
  unknownOutcomesAreRare,
} from './invariants-of-minting.ts';
import { noRefreshTokenIsSpentTwice, theKeptItemIsSound } from './invariants-of-rotation.ts';
import { writesAreSound } from './invariants-of-writes.ts';
import type { Run, Violation, Watched } from './run.ts';

/** One invariant, by its number in the protocol. */
export interface Invariant {
  readonly number: string;
  /** It is promised only while clocks agree within s. */
  readonly needsClocksWithinBound?: boolean;
  /** Begins to hold it against what happens to one slot. */
  readonly watch: (watched: Watched) => Watch;
}

/** The invariants that are held against every step. */
export const invariants: readonly Invariant[] = [
  { number: '1', watch: everyHandOutIsUsable, needsClocksWithinBound: true },
  { number: '2', watch: noHandOutIsTooOld, needsClocksWithinBound: true },
  { number: '3', watch: oneRequestInFlight, needsClocksWithinBound: true },
  { number: '3', watch: everyRequestIsSentUnderItsLease },
  { number: '4', watch: everyLoginHasItsReason, needsClocksWithinBound: true },
  { number: '5', watch: noLoginWithARefusedVersion },
  { number: '5', watch: refusalsStopTheConnection },
  { number: '5', watch: unprovenVersionsAreRefusedThrice, needsClocksWithinBound: true },
  { number: '5', watch: loginsAreCounted },
  { number: '6', watch: unknownOutcomesAreRare, needsClocksWithinBound: true },
  { number: '6', watch: everyLeaseCarriesItsBackOff },
  { number: '7', watch: generationsAdvance },
  { number: '7', watch: leasesAreEndedByTheirHolders },
  { number: '7', watch: aPurgedAttemptIsDiscarded },
  { number: '7', watch: writesAreSound },
  { number: '8', watch: subjectsNeverMix },
  { number: '10', watch: everyHandOutIsAudited },
  { number: '11', watch: aGoodTokenIsHandedOut, needsClocksWithinBound: true },
  { number: '14', watch: everyRequestIsAnswered },
  { number: '16', watch: youngTokensAreNotRenewed },
  { number: '16', watch: aReportedTokenIsNotGivenBack },
  { number: '17', watch: onlyIssuedTokensAreStored },
  { number: '21', watch: unprovenVersionsGoOneAtATime, needsClocksWithinBound: true },
  { number: '22', watch: failedLoginsAreFew, needsClocksWithinBound: true },
  { number: '23', watch: renewalsDelayNoLogin },
  { number: '19', watch: noRefreshTokenIsSpentTwice, needsClocksWithinBound: true },
  { number: '19', watch: theKeptItemIsSound },
  { number: '24', watch: theAccountIsNotLocked, needsClocksWithinBound: true },
  { number: '27', watch: logoutsEndPurgedTokensAlone, needsClocksWithinBound: true },
  { number: '28', watch: openBreakersLetOneThrough, needsClocksWithinBound: true },
  { number: '28', watch: breakersOpenOnEvidence },
  { number: '29', watch: reactionsAreAMinuteApart, needsClocksWithinBound: true },
  { number: '30', watch: waitsAreFew, needsClocksWithinBound: true },
  { number: '30', watch: permitsAreGivenBack },
  { number: '31', watch: candidatesBecomeCurrentByAToken },
  { number: '31', watch: candidatesLeaveTheCurrent },
  { number: 'C18', watch: exclusiveCallsComeOneAtATime, needsClocksWithinBound: true },
  { number: 'C20', watch: noSessionIsTooOld, needsClocksWithinBound: true },
];

/** What can be told only where a run stopped: that something went on, or healed, as nothing that was logged can say. */
export function violationsAtTheEnd({ world, unforeseen, unhealed, unanswered }: Run): Violation[] {
  const at = world.time.now();
  return [
    ...unforeseen.map((what) => ({ invariant: '14', at, what })),
    ...unhealed.map((what) => ({ invariant: '18', at, what })),
    ...(unanswered > 0 ? [{ invariant: '14', at, what: `${unanswered} requests were never answered` }] : []),
  ];
}
