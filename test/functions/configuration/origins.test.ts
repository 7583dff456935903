import { describe, expect, it } from 'vitest';
import { connectionOf, helpdesk, problemsOf, refusalOf } from './declared.ts';

const messagesFor = (declared: object) => problemsOf({ ...helpdesk, ...declared }).map(({ message }) => message);

describe('baseUrl (invariant 15)', () => {
  it.each([
    'https://api.example.com',
    'https://api.example.com:8443/v1/x',
    'http://127.0.0.1:8080/api',
    'http://127.9.9.9',
    'http://localhost:1',
    'http://[::1]:1/a',
  ])('takes %s', (baseUrl) => {
    expect(connectionOf({ ...helpdesk, baseUrl }).baseUrl).toBe(baseUrl);
  });

  it.each([
    'http://api.example.com',
    'http://10.0.0.5',
    'http://localhost.example.com',
    'http://0.0.0.0',
    'http://127.0.0.1.example.com',
  ])('takes plain http at %s only where that is declared', (baseUrl) => {
    expect(messagesFor({ baseUrl })).toEqual([expect.stringContaining('allowPlainHttp')]);
    expect(connectionOf({ ...helpdesk, baseUrl, allowPlainHttp: true }).allowPlainHttp).toBe(true);
  });

  it.each([
    'http://169.254.169.254/latest',
    'https://169.254.1.1',
    'http://2852039166',
    'http://0xa9fea9fe',
    'http://0251.0376.0251.0376',
    'http://[fe80::1]',
    'http://[febf::1]',
    'http://[fd00:ec2::254]',
    'http://[fd00:0ec2:0::0:254]',
    'http://[::ffff:169.254.169.254]',
    'http://[64:ff9b::169.254.169.254]',
    'http://metadata.google.internal',
    'http://METADATA.google.internal.',
    'http://100.100.100.200',
  ])('refuses the link-local or metadata address %s, whatever is declared', (baseUrl) => {
    expect(messagesFor({ baseUrl, allowPlainHttp: true })).toEqual([expect.stringContaining('metadata address')]);
  });

  it.each([
    ['userinfo', 'https://svc:S3cretValue@api.example.com'],
    ['empty userinfo', 'https://@api.example.com/S3cretValue'],
    ['a query', 'https://api.example.com/?key=S3cretValue'],
    ['an empty query', 'https://api.example.com/S3cretValue?'],
    ['a fragment', 'https://api.example.com/#S3cretValue'],
    ['dot segments', 'https://api.example.com/S3cretValue/../b'],
    ['a dot segment at the end', 'https://api.example.com/S3cretValue/..'],
    ['an escape', 'https://api.example.com/S3cretValue%2f'],
    ['a backslash', 'https://api.example.com\\S3cretValue'],
    ['a double slash', 'https://api.example.com//S3cretValue'],
    ['a space', 'https://api.example.com/S3cretValue '],
    ['a line end', 'https://api.example.com/\nS3cretValue'],
    ['another scheme', 'ftp://S3cretValue'],
    ['a script', 'javascript:S3cretValue'],
    ['one slash', 'https:/S3cretValue'],
    ['no scheme', 'S3cretValue.example.com'],
    ['no host', 'https://'],
    ['an object', { url: 'S3cretValue' }],
  ])('refuses %s and never quotes it', (_what, baseUrl) => {
    const { problems, message } = refusalOf({ connections: { it: { ...helpdesk, baseUrl } } });

    expect(problems.map(({ path }) => path)).toEqual(['connections.it.baseUrl']);
    expect(message).not.toContain('S3cretValue');
  });
});
