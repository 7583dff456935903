import { expectTypeOf, it } from 'vitest';
import type { DeclaredProvider } from '../../../functions/configuration/provider-schema.ts';
import type { Provider } from '../../../functions/core/slot/provider.ts';

/** Every JSON there is, whose lists may be of either kind. */
type AnyJson = { [member: string]: never } | never[] | string | number | boolean | null;

/** A type with every list and member read-only and every member there, so that none is lacking on either side. */
type Whole<T> = [AnyJson] extends [T]
  ? 'json'
  : T extends readonly (infer Member)[]
    ? readonly Whole<Member>[]
    : T extends object
      ? { readonly [Key in keyof T]-?: Whole<T[Key]> }
      : T;

it('the schema of a provider says what its type says', () => {
  expectTypeOf<Whole<DeclaredProvider>>().toExtend<Whole<Provider>>();
  expectTypeOf<Whole<Provider>>().toExtend<Whole<DeclaredProvider>>();
});
