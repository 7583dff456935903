import { describe, expect, it } from 'vitest';
import { createRouter, type GatewayRoute } from '../../../local/gateway/routes.ts';

function route(routeKey: string): GatewayRoute {
  return { routeKey, functionName: 'f', handler: async () => ({}), timeoutMs: 1_000, authorization: 'NONE' };
}

function chooser(...routeKeys: string[]) {
  const router = createRouter(routeKeys.map(route));
  return (method: string, path: string) => router(method, path)?.route.routeKey;
}

describe('createRouter', () => {
  it('puts a full match before a greedy one and $default last', () => {
    const choose = chooser('$default', 'ANY /{all+}', 'GET /pets/{rest+}', 'GET /pets/dog/{id}', 'GET /pets/dog/1');

    expect(choose('GET', '/pets/dog/1')).toBe('GET /pets/dog/1');
    expect(choose('GET', '/pets/dog/2')).toBe('GET /pets/dog/{id}');
    expect(choose('GET', '/pets/cat/1')).toBe('GET /pets/{rest+}');
    expect(choose('POST', '/pets/cat/1')).toBe('ANY /{all+}');
    expect(choose('GET', '/')).toBe('$default');
  });

  it('puts the method by name before ANY, and a full ANY before a greedy method', () => {
    const choose = chooser('ANY /a/{x}', 'GET /a/{x}', 'ANY /b/c', 'GET /b/{x+}');

    expect(choose('GET', '/a/1')).toBe('GET /a/{x}');
    expect(choose('PATCH', '/a/1')).toBe('ANY /a/{x}');
    expect(choose('GET', '/b/c')).toBe('ANY /b/c');
  });

  it('serves HEAD by no GET route', () => {
    expect(chooser('GET /a')('HEAD', '/a')).toBeUndefined();
  });

  it('fills no parameter with an empty segment and forgives no trailing slash, dots or doubled slashes', () => {
    const choose = chooser('GET /tokens/{connection}/{subject}', 'ANY /proxy/{connection}/{subject}/{path+}');

    for (const path of [
      '/tokens/a/',
      '/tokens//b',
      '/tokens/a/b/',
      '//tokens/a/b',
      '/tokens/./a/b',
      '/tokens/a/..%2fb/c',
    ]) {
      expect(choose('GET', path), path).toBeUndefined();
    }
    for (const path of ['/proxy/a/b', '/proxy/a/b/', '/proxy/a/b//x', '/proxy//b/x']) {
      expect(choose('GET', path), path).toBeUndefined();
    }
  });

  it('decodes parameters after the path was split', () => {
    const router = createRouter([route('GET /t/{c}/{s}'), route('GET /p/{path+}')]);

    expect(router('GET', '/t/a%2Fb/%C3%A9')?.pathParameters).toEqual({ c: 'a/b', s: 'é' });
    expect(router('GET', '/p/x//y/%2e%2e/z/')?.pathParameters).toEqual({ path: 'x//y/../z/' });
    expect(createRouter([route('GET /x')])('GET', '/x')?.pathParameters).toBeUndefined();
  });

  it('refuses malformed and repeated route keys at the start', () => {
    expect(() => createRouter([route('GET tokens')])).toThrow(/GET tokens/);
    expect(() => createRouter([route('FETCH /a')])).toThrow(/FETCH/);
    expect(() => createRouter([route('GET /{a+}/b')])).toThrow(/greedy/);
    expect(() => createRouter([route('GET /a'), route('GET /a')])).toThrow(/twice/);
  });
});
