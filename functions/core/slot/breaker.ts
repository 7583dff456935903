import { isOpen, isProven, type Login, type Logins, SUBJECTS_THAT_OPEN } from './logins.ts';

/** End of a login as the breaker sees it. `nothing`: nothing was sent. */
export type Heard = 'answer' | 'time-out' | 'nothing';

/** Longest time between the time-outs of two subjects that belong together. */
const TOGETHER_MS = 300_000;
/** Time without logins after a time-out that opens the breaker or keeps it open. */
const OPEN_MS = 30_000;

/**
 * Computes what is known of the upstream's silence once a login has ended. Any answer ends it. Returns the same record
 * if there is nothing to write.
 */
export function hear(seen: Logins, { id, subject, secretVersion }: Login, heard: Heard, now: number): Logins {
  const { timedOut, probe } = seen;
  const isProvenOne = isProven(seen, secretVersion);
  const isTrial = isProvenOne && isOpen(seen) && probe?.id === id;
  const ended: Partial<Logins> = isTrial ? { probe: undefined, notBefore: 0 } : {};
  switch (heard) {
    case 'answer':
      return timedOut === undefined ? seen : { ...seen, ...ended, timedOut: undefined };
    case 'nothing':
      return isTrial ? { ...seen, ...ended } : seen;
    case 'time-out': {
      // Logins with an unproven version go one at a time anyway. One begun before the breaker opened tells nothing new.
      if (!isProvenOne || (isOpen(seen) && !isTrial)) return seen;
      const isOther = timedOut !== undefined && timedOut.subject !== subject && timedOut.at > now - TOGETHER_MS;
      if (!isTrial && !isOther) return { ...seen, timedOut: { subject, at: now, subjects: 1 } };
      const open = { subject, at: now, subjects: SUBJECTS_THAT_OPEN };
      return { ...seen, ...ended, timedOut: open, notBefore: now + OPEN_MS };
    }
  }
}
