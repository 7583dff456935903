/** Counts wrong logins in a row, for the `lockAfter` knob. */
export interface WrongLogins {
  /** Counts one more, and reports whether `lockAfter` is reached. */
  reaches(lockAfter: number | null): boolean;
  /** Sets the count to 0: after a correct login, or when the account is unlocked. */
  forget(): void;
}

/** Creates a count that starts at 0. */
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
