import type * as z from 'zod';
import type { Provider } from '../core/slot/provider.ts';
import type { Presets } from '../providers/registry.ts';
import type { rootSchema } from './check.ts';
import type { KeyByProvider, sharedKeys } from './schema.ts';
import type { trustEntry } from './trust.ts';

// All of this follows from the schemas and the providers' data. An interface where a type would do keeps the compiler's
// messages to operators short.

type ReadOnly<Value> = Value extends object ? { readonly [Key in keyof Value]: ReadOnly<Value[Key]> } : Value;
type SharedInput = ReadOnly<z.input<z.ZodObject<typeof sharedKeys>>>;
type RootInput = ReadOnly<Omit<z.input<typeof rootSchema>, 'providers'>> & {
  // As it is: it is read-only already, and of JSON, which has no end, the compiler would make a copy.
  readonly providers?: Readonly<Record<string, Provider>>;
};
type TrustInput = ReadOnly<z.input<typeof trustEntry>>;

/** The keys that every connection may have. */
export interface SharedDeclaration extends Omit<SharedInput, KeyByProvider> {}
interface TimesByProvider extends Pick<SharedInput, KeyByProvider> {}

type Settings<Its extends Provider> = NonNullable<Its['settings']>;
type RequiredSetting<Its extends Provider> = {
  [Key in keyof Settings<Its>]: Settings<Its>[Key] extends { readonly optional: true } | { readonly default: string }
    ? never
    : Key;
}[keyof Settings<Its>];
type OwnDeclaration<Its extends Provider> = Pick<TimesByProvider, TimesOf<Its>> & {
  readonly [Key in RequiredSetting<Its>]: SettingValue<Settings<Its>[Key]>;
} & {
  readonly [Key in Exclude<keyof Settings<Its>, RequiredSetting<Its>>]?: SettingValue<Settings<Its>[Key]>;
};
type TimesOf<Its extends Provider> =
  | (KeyByProvider & keyof Its['defaults'])
  | (Its extends { readonly renewal: object } ? 'maxSessionSeconds' : never);
type SettingValue<Its> = Its extends { readonly values: readonly (infer Word)[] }
  ? Word
  : Its extends { readonly kind: 'list' }
    ? string | readonly string[]
    : string;

/** One upstream: the keys that all have, and those of its provider. Only `provider` and `baseUrl` are required. */
export type ConnectionDeclaration<Known extends Record<keyof Known, Provider> = Presets> = {
  [Name in keyof Known]: SharedDeclaration & {
    /** The kind of upstream: a name from the table of providers. */
    readonly provider: Name;
  } & OwnDeclaration<Known[Name]>;
}[keyof Known];

/** Workloads that may exchange their JWT: all given conditions must hold. */
export interface TrustDeclaration extends TrustInput {}

/**
 * The operator's declaration: the connections by name, `^[a-z0-9][a-z0-9_-]{0,62}$`, and the workloads outside AWS that
 * may use them. Holds no credential: those go into Secrets Manager.
 */
export interface ConnectionsDeclaration<Known extends Record<keyof Known, Provider> = Presets>
  extends Omit<RootInput, 'connections'> {
  readonly connections: Readonly<Record<string, ConnectionDeclaration<Known>>>;
}

/** A declaration with any providers of the operator's own; what each connection may have is checked at synth. */
export interface AnyDeclaration extends Omit<RootInput, 'connections'> {
  readonly connections: Readonly<Record<string, { readonly provider: string; readonly baseUrl: string }>>;
}

/**
 * Gives the declaration back as it is, typed, for the default export of a connections file. Checks nothing.
 *
 * @example
 * export default defineConnections({
 *   connections: { helpdesk: { provider: 'helpmaster', baseUrl: 'https://help.example.com/api' } },
 * });
 */
export function defineConnections(declaration: ConnectionsDeclaration): ConnectionsDeclaration;
export function defineConnections<const Own extends Record<string, Provider>>(
  declaration: ConnectionsDeclaration<Presets & Own> & { readonly providers: Own },
): ConnectionsDeclaration<Presets & Own>;
export function defineConnections(declaration: unknown): unknown {
  return declaration;
}
