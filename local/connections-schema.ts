import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { rootSchema } from '../functions/configuration/check.ts';
import { NAME_PATTERN } from '../functions/configuration/fields.ts';
import { providerSchema } from '../functions/configuration/provider-schema.ts';
import { createSettingsSchema, keysOf, sharedKeys } from '../functions/configuration/schema.ts';
import { trustEntry } from '../functions/configuration/trust.ts';
import type { Provider } from '../functions/core/slot/provider.ts';
import { providers as presets } from '../functions/providers/registry.ts';

type Json = Readonly<Record<string, unknown>>;

const names = z.string().regex(NAME_PATTERN);

/**
 * Builds the JSON Schema of a connections file, for editors: it completes and explains keys, and finds most mistakes.
 * The rules across keys, and what a setting of a declared provider may be, are checked at synth and start alone.
 */
export function buildConnectionsSchema(): Json {
  const connection = z.looseObject({ provider: z.string(), ...sharedKeys });
  const file = z.strictObject({
    ...rootSchema.shape,
    connections: z.record(names, connection),
    providers: z.record(names, providerSchema).exactOptional(),
    trust: z.array(trustEntry).exactOptional(),
  });
  const { $schema, properties = {}, ...built } = toJson(file);
  const { connections, providers, trust, ...others } = properties;
  return {
    $schema,
    title: 'Connections of a token broker',
    ...withPresets({
      ...built,
      properties: {
        ...explainKeys(others, readDocblocks('check')),
        connections: explain(connections, readDocblocks('schema')),
        providers: explain(providers, readDocblocks('provider-schema')),
        trust: explain(trust, readDocblocks('trust')),
      },
    }),
  };
}

/** Adds to the connections the settings of each preset, and that they have no other keys. */
function withPresets(file: Json): Json {
  const all = Object.values<Provider>(presets).map(keysOf);
  const common = (all[0] ?? []).filter((key) => all.every((keys) => keys.includes(key)));
  const withCommon = mapAt(file, ['$defs'], (shared) => ({ ...shared, keysOfAll: { enum: common } }));
  return mapAt(withCommon, ['properties', 'connections', 'additionalProperties'], (connection) => ({
    ...connection,
    allOf: Object.entries<Provider>(presets).map(([name, preset]) => {
      const { properties = {}, required = [] } = toJson(createSettingsSchema(preset)) as Json;
      const own = keysOf(preset).filter((key) => !common.includes(key));
      return {
        if: { properties: { provider: { const: name } }, required: ['provider'] },
        // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema.
        then: {
          properties,
          required,
          propertyNames: { anyOf: [{ $ref: '#/$defs/keysOfAll' }, ...(own.length === 0 ? [] : [{ enum: own }])] },
        },
      };
    }),
  }));
}

function mapAt(json: Json, [key, ...path]: readonly string[], change: (json: Json) => Json): Json {
  if (key === undefined) return change(json);
  return { ...json, [key]: mapAt(json[key] as Json, path, change) };
}

function toJson(schema: z.ZodType) {
  // What a text must be beyond being one is checked by code.
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

/** Adds docblocks to the keys of every object in a schema. */
function explain(json: unknown, docblocks: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(json)) return json.map((each) => explain(each, docblocks));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      key === 'properties' ? explainKeys(value, docblocks) : explain(value, docblocks),
    ]),
  );
}

function explainKeys(properties: Json, docblocks: ReadonlyMap<string, string>): Json {
  const explained = Object.entries(properties).map(([key, property]) => {
    const description = docblocks.get(key);
    const inner = explain(property, docblocks) as Json;
    return [key, description === undefined ? inner : { description, ...inner }];
  });
  return Object.fromEntries(explained);
}

/** Reads the docblocks of the keys in a source; a key that has several has none here. */
function readDocblocks(source: string): ReadonlyMap<string, string> {
  const text = readFileSync(new URL(`../functions/configuration/${source}.ts`, import.meta.url), 'utf8');
  const found = [...text.matchAll(/^ +\/\*\* (.+) \*\/\n +([$\w]+): /gm)];
  const byKey = Map.groupBy(found, ([, , key = '']) => key);
  return new Map([...byKey].flatMap(([key, all]) => (all.length === 1 ? [[key, all[0]?.[1] ?? '']] : [])));
}
