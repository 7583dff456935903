/** Counts wrong logins in a row, for the `lockAfter` knob. */
export interface WrongLogins {
  /** Counts one more, and reports whether `lockAfter` of them have been reached. */
  reaches(lockAfter: number | null): boolean;
  /** Starts again from none: after a right login, or when the account was unlocked. */
  forget(): void;
}

/** Starts with no wrong login. */
export function createWrongLogins(): WrongLogins {
  let count = 0;
  return {
    reaches(lockAfter) {
      count += 1;
      return lockAfter !== null && count >= lockAfter;
    },
    forget() {
      count = 0;
    },
  };
}
