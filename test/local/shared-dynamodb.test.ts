import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { startEmbeddedDynamodb } from '../../local/embedded-dynamodb.ts';
import { flagsOf } from '../../local/flags.ts';
import { environmentOf } from '../../local/functions.ts';
import { joinSharedDynamodb } from '../../local/shared-dynamodb.ts';
import { StartError } from '../../local/start-error.ts';

const sound = ['--connections', 'c.json', '--secrets', 's.json', '--data', 'd'];

describe('--dynamodb', () => {
  it.each(['http://127.0.0.1:8000', 'http://localhost:8000/', 'http://[::1]:8000'])('takes %s', (url) => {
    expect(flagsOf(['--dynamodb', url, ...sound]).dynamodbUrl).toBe(url.replace(/\/$/, ''));
  });

  it.each([
    'https://127.0.0.1:8000',
    'http://dynamodb.example:8000',
    'https://dynamodb.us-east-1.amazonaws.com',
    'http://127.0.0.1:8000/path',
    'http://user@127.0.0.1:8000',
    'http://127.0.0.1.example:8000',
    '127.0.0.1:8000',
    '8000',
    '',
  ])('refuses %j: it is no DynamoDB on this machine', (url) => {
    expect(() => flagsOf(['--dynamodb', url, ...sound])).toThrow(
      new StartError(
        '--dynamodb must be the address of a DynamoDB on this machine and no more, such as --dynamodb http://127.0.0.1:8000.',
      ),
    );
  });

  it('refuses to share a table without sharing the key that opens its tokens', () => {
    const flags = ['--dynamodb', 'http://127.0.0.1:8000', '--connections', 'c.json', '--secrets', 's.json'];
    expect(() => flagsOf(flags)).toThrow(/--dynamodb needs --data DIR/);
  });

  it('refuses to share a table between demo upstreams that are each its own', () => {
    expect(() => flagsOf(['--dynamodb', 'http://127.0.0.1:8000', '--data', 'd'])).toThrow(
      /--dynamodb needs --connections FILE/,
    );
  });
});

describe('a DynamoDB that several brokers share', async () => {
  const engine = await startEmbeddedDynamodb({});
  afterAll(() => engine.close());
  const key = randomBytes(32);
  const join = (url: string, masterKey: Buffer) =>
    joinSharedDynamodb(
      url,
      environmentOf({ dynamodbEndpoint: url, awsEndpoint: 'http://127.0.0.1:9', configurationFile: 'none' }),
      masterKey,
    );

  it('lets in all that have the same key, several at once, and again later', async () => {
    await Promise.all([join(engine.endpoint, key), join(engine.endpoint, key), join(engine.endpoint, key)]);
    await expect(join(engine.endpoint, key)).resolves.toBeUndefined();
  });

  it('keeps out another key, and says what to do', async () => {
    const refused = join(engine.endpoint, randomBytes(32));
    await expect(refused).rejects.toThrow(StartError);
    await expect(refused).rejects.toThrow(/belong to another key\. Give the --data DIR that its other brokers have/);
    await join(engine.endpoint, key);
  });

  it('that is not there is an error that names it', async () => {
    const gone = await startEmbeddedDynamodb({});
    await gone.close();
    await expect(join(gone.endpoint, key)).rejects.toThrow(
      `The DynamoDB at ${gone.endpoint} does not answer (ECONNREFUSED).`,
    );
  });
});
