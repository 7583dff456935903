import { describe, expect, it } from 'vitest';
import { connectionOf, helpdesk, problemsOf } from './declared.ts';

const arn = (end: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${end}`;

describe('the ARN of a secret', () => {
  it.each(['wfm', 'prod/wfm', 'prod-secrets', 'prod-abc', '-AbC123', 'wfm-AbC12_'])(
    'is refused without the six characters of AWS at its end: %s',
    (end) => {
      expect(problemsOf({ ...helpdesk, secret: arn(end) })).toEqual([
        { path: 'secret', message: expect.stringMatching(/not complete.*six characters.*or give the name alone/) },
      ]);
    },
  );

  it.each(['wfm-AbC123', 'prod/wfm-000000', `${'n'.repeat(512)}-AbC123`])('is taken with them: %s', (end) => {
    expect(connectionOf({ ...helpdesk, secret: arn(end) }).secret).toBe(arn(end));
  });

  it('leaves a name that ends like one as it is', () => {
    expect(connectionOf({ ...helpdesk, secret: 'prod-secret' }).secret).toBe('prod-secret');
  });
});
