import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfiguration, serializeConfiguration } from '../../../functions/configuration/bundle.ts';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { settingsOf, timeoutOf } from '../../fuzz/runs.ts';
import { helpdesk, wfm } from './declared.ts';

const declaration = fc.record({
  connections: fc.record({
    it: fc.record(
      {
        provider: fc.constant(helpdesk.provider),
        baseUrl: fc.constant(helpdesk.baseUrl),
        refreshAfter: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        secret: fc.stringMatching(/^[a-z]{1,8}\/[a-z]{1,8}$/),
        subjects: fc.constantFrom({ staff: true }, { staff: ['88', '1'] }),
        proxy: fc.constantFrom({}, { headers: ['x-a'] }),
        vpc: fc.constant('vpc-0123abcd'),
      },
      { requiredKeys: ['provider', 'baseUrl'] },
    ),
    constructor: fc.constant({ ...wfm, keepAlivePath: '/Ping' }),
  }),
  strictAudit: fc.boolean(),
  trust: fc
    .record({ '"': fc.oneof(fc.string(), fc.boolean(), fc.integer()) })
    .map((claims) => [
      { issuer: 'https://i.example.com', audience: 'a', subject: 'a|"\\\\', connections: ['it'], claims },
    ]),
});

describe('a configuration in a bundle', () => {
  it(
    'comes back as it went in',
    () => {
      fc.assert(
        fc.property(declaration, (declared) => {
          const configuration = resolveConnections(declared);

          expect(parseConfiguration(serializeConfiguration(configuration))).toEqual(configuration);
        }),
        settingsOf(100),
      );
    },
    timeoutOf(100),
  );

  it('finds no connection under a name that every object has', () => {
    const { connections } = parseConfiguration(
      serializeConfiguration(resolveConnections({ connections: { it: helpdesk } })),
    );

    expect(connections['constructor']).toBeUndefined();
  });

  it.each([
    [
      'another format',
      JSON.stringify({ format: 999, configuration: {} }),
      /format 999, and this code reads format \d+.*deploy again/,
    ],
    ['no stamp', '{"connections":{}}', /format none/],
    ['null', 'null', /format none/],
    ['no JSON', '{"S3cret', /is not JSON/],
  ])('says so where it is %s, and quotes nothing', (_what, text, message) => {
    expect(() => parseConfiguration(text)).toThrow(message);
    expect(() => parseConfiguration(text)).not.toThrow(/S3cret/);
  });

  it('is read without the code that validates', async () => {
    const entry = new URL('../../../functions/configuration/bundle.ts', import.meta.url).pathname;
    const { metafile } = await build({
      entryPoints: [entry],
      bundle: true,
      metafile: true,
      write: false,
      platform: 'node',
    });

    expect(Object.keys(metafile.inputs)).toHaveLength(1);
  });
});
