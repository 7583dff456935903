const MASK = '[secret]';

/**
 * Holds a credential, a token or a key so that printing, serialising or inspecting it shows `[secret]`.
 * `reveal()` belongs only where the value leaves the process or is worked on by a cipher.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}
