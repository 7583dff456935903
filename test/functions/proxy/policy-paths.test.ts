import { afterAll, describe, expect, it } from 'vitest';
import { resolveConnections } from '../../../functions/configuration/check.ts';
import { ConfigurationError } from '../../../functions/configuration/errors.ts';
import { send } from '../../local/demo/demo-client.ts';
import { startProxyHarness } from './proxy-harness.ts';

const broker = await startProxyHarness();
afterAll(() => broker.close());

describe('a path of the policy', () => {
  it.each([
    ['@me', '/@me'],
    ['%40me/tasks', '/%40me/tasks'],
    ['odata/Jobs(1)', '/odata/Jobs(1)'],
    ['odata/Jobs%281%29/Notes', '/odata/Jobs%281%29/Notes'],
    ['odata/Jobs(1)/a%2Fb', '/odata/Jobs(1)/a%2Fb'],
    ['a:b,c;d&e=f+g$h/x', '/a:b,c;d&e=f+g$h/x'],
    ['a%3Ab%2Cc%3Bd%26e%3Df%2Bg%24h', '/a%3Ab%2Cc%3Bd%26e%3Df%2Bg%24h'],
    ['%C3%B6ffen/x', '/%C3%B6ffen/x'],
  ])('lets %s through, and the upstream gets %s', async (path, sent) => {
    broker.scripted.answer((_request, _body, response) => response.end('{}'));
    broker.scripted.received.length = 0;
    const { status } = await send(broker.url, { path: `/proxy/scripted/system/${path}` });

    expect(status).toBe(200);
    expect(broker.scripted.received.map(({ url }) => url)).toEqual([`/base${sent}`]);
  });
});

describe('a declared path', () => {
  function problemsWith(path: string) {
    const proxy = { paths: ['/jobs', path] };
    try {
      resolveConnections({ connections: { desk: { provider: 'helpmaster', baseUrl: 'https://help.example', proxy } } });
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
    return [];
  }

  it.each(['/*', '/jobs/*', '/jobs*', '/*/jobs'])('%s is refused: a prefix matches what is under it', (path) => {
    expect(problemsWith(path)).toEqual([
      { path: 'connections.desk.proxy.paths[1]', message: expect.stringContaining('a prefix needs no `*`') },
    ]);
  });

  it('that holds an unpaired surrogate is refused', () => {
    expect(problemsWith('/a\ud800')).toMatchObject([{ path: 'connections.desk.proxy.paths[1]' }]);
  });

  it.each(['/@me', '/a:b,c;d&e=f+g$h', '/odata/Jobs(1)', '/öffen'])('%s is one', (path) => {
    expect(problemsWith(path)).toEqual([]);
  });
});
