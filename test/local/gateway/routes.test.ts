import { describe, expect, it } from 'vitest';
import { createRouter, type GatewayRoute } from '../../../local/gateway/routes.ts';

function route(key: string): GatewayRoute {
  const [method = '', resource = ''] = key.split(' ');
  return { method, resource, functionName: 'f', handler: async () => ({}), timeoutMs: 1_000, authorization: 'NONE' };
}

function chooser(...keys: string[]) {
  const router = createRouter(keys.map(route));
  return (method: string, path: string) => {
    const found = router(method, path)?.route;
    return found && `${found.method} ${found.resource}`;
  };
}

describe('createRouter', () => {
  it('puts a full match before a greedy one, and the longer greedy one first', () => {
    const choose = chooser('ANY /{all+}', 'GET /pets/{rest+}', 'GET /pets/dog/{id}', 'GET /pets/dog/1');

    expect(choose('GET', '/pets/dog/1')).toBe('GET /pets/dog/1');
    expect(choose('GET', '/pets/dog/2')).toBe('GET /pets/dog/{id}');
    expect(choose('GET', '/pets/cat/1')).toBe('GET /pets/{rest+}');
    expect(choose('GET', '/cats')).toBe('ANY /{all+}');
    expect(choose('GET', '//cats')).toBe('ANY /{all+}');
    expect(choose('GET', '/')).toBeUndefined();
  });

  it('chooses the resource first, and of its methods the one by name before ANY', () => {
    const choose = chooser('ANY /a/{x}', 'GET /a/{x}', 'ANY /b/c', 'GET /b/{x+}');

    expect(choose('GET', '/a/1')).toBe('GET /a/{x}');
    expect(choose('PATCH', '/a/1')).toBe('ANY /a/{x}');
    expect(choose('GET', '/b/c')).toBe('ANY /b/c');
    expect(choose('PATCH', '/b/d')).toBeUndefined();
  });

  it('serves by ANY the seven methods of a REST API, and no other', () => {
    const choose = chooser('ANY /a', 'ANY /{path+}');

    for (const method of ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']) {
      expect(choose(method, '/a'), method).toBe('ANY /a');
    }
    for (const method of ['TRACE', 'PROPFIND', 'QUERY', 'ANY', 'get']) {
      expect(choose(method, '/a'), method).toBeUndefined();
    }
  });

  it('serves HEAD by no GET route', () => {
    expect(chooser('GET /a')('HEAD', '/a')).toBeUndefined();
  });

  it('fills no parameter with an empty segment and forgives no trailing slash, dots or doubled slashes', () => {
    const choose = chooser('GET /tokens/{connection}/{subject}', 'ANY /proxy/{connection}/{subject}/{path+}');

    for (const path of ['/tokens/a/', '/tokens//b', '/tokens/a/b/', '//tokens/a/b', '/tokens/./a/b']) {
      expect(choose('GET', path), path).toBeUndefined();
    }
    for (const path of ['/proxy/a/b', '/proxy/a/b/', '/proxy/a/b//x', '/proxy//b/x']) {
      expect(choose('GET', path), path).toBeUndefined();
    }
  });

  it('leaves parameters as they were sent', () => {
    const router = createRouter([route('GET /t/{c}/{s}'), route('GET /p/{path+}')]);

    expect(router('GET', '/t/a%2Fb/%C3%A9')?.pathParameters).toEqual({ c: 'a%2Fb', s: '%C3%A9' });
    expect(router('GET', '/p/x//y/%2e%2e/z/')?.pathParameters).toEqual({ path: 'x//y/%2e%2e/z/' });
    expect(createRouter([route('GET /x')])('GET', '/x')?.pathParameters).toBeUndefined();
  });

  it('refuses malformed and repeated routes at the start', () => {
    expect(() => createRouter([route('GET tokens')])).toThrow(/tokens/);
    expect(() => createRouter([route('FETCH /a')])).toThrow(/FETCH/);
    expect(() => createRouter([route('GET /{a+}/b')])).toThrow(/greedy/);
    expect(() => createRouter([route('GET /a'), route('GET /a')])).toThrow(/twice/);
  });
});
