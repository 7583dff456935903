import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { describe, expect, it } from 'vitest';
import { apiPolicyOf, type Caller, EVERY_API, mayCall } from './api-access.ts';
import { ACCOUNT, type DeployedOptions, deployed, REGION, trustedWorkload } from './deployed.ts';
import { policiesOf } from './deployed-policies.ts';

const ADMINISTRATOR: Caller = { arn: `arn:aws:iam::${ACCOUNT}:role/Administrator`, own: [EVERY_API] };
const SYSTEM = 'GET /tokens/helpdesk/system';
const FOREIGN_ROLE = 'arn:aws:iam::999999999999:role/reporting';

/** Deploys with a role `Caller` that may have the system's tokens of `helpdesk`. */
function withCaller(options: DeployedOptions = {}) {
  const { template } = deployed({
    ...options,
    build: (stack, broker) => {
      const role = new iam.Role(stack, 'CallerRole', { assumedBy: new iam.AccountRootPrincipal() });
      broker.grantToken(role, 'helpdesk');
    },
  });
  const policies = policiesOf(template);
  return { template, caller: { arn: policies.arnOf('CallerRole'), own: policies.statementsOf('Caller') } };
}

describe('the API', () => {
  it('lets nobody in whom nothing names, whatever his own policies allow', () => {
    const { template } = deployed();
    for (const request of [SYSTEM, 'GET /connections', 'DELETE /tokens/helpdesk/88', 'POST /oauth2/token']) {
      expect(mayCall(template, ADMINISTRATOR, request), request).toBe(false);
      expect(mayCall(template, {}, request), request).toBe(false);
    }
  });

  it('lets a principal do what it is granted, nothing more, and nobody else', () => {
    const { template, caller } = withCaller();
    expect(mayCall(template, caller, SYSTEM)).toBe(true);
    expect(mayCall(template, caller, 'POST /tokens/helpdesk/system')).toBe(true);
    for (const other of ['GET /tokens/helpdesk/88', 'DELETE /tokens/helpdesk/system', 'GET /tokens/wfm/system']) {
      expect(mayCall(template, caller, other), other).toBe(false);
    }
    expect(mayCall(template, ADMINISTRATOR, SYSTEM)).toBe(false);
  });

  it('gives a named principal no path without a permission of its own', () => {
    const { template } = deployed({ callers: [ADMINISTRATOR.arn ?? ''] });
    expect(mayCall(template, { ...ADMINISTRATOR, own: [] }, SYSTEM)).toBe(false);
    expect(mayCall(template, ADMINISTRATOR, SYSTEM)).toBe(true);
  });

  it.each([
    ['the role', `arn:aws:iam::${ACCOUNT}:role/Administrator`, {}],
    ['a pattern of roles', `arn:aws:iam::${ACCOUNT}:role/Admin*`, {}],
    ['the account', ACCOUNT, {}],
    ['the organisation', 'o-a1b2c3d4e5', { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' }],
  ])('lets in whom `callers` name: %s', (_, caller, context) => {
    const { template } = deployed({ callers: [caller] });
    expect(mayCall(template, { ...ADMINISTRATOR, context }, SYSTEM)).toBe(true);
    const other = { arn: 'arn:aws:iam::222233334444:role/Other', own: [EVERY_API] };
    expect(mayCall(template, other, SYSTEM)).toBe(false);
  });

  it('lets in whoever is named in any way, where several ways are used', () => {
    const { template } = deployed({
      callers: ['o-a1b2c3d4e5', '222233334444', `arn:aws:iam::${ACCOUNT}:role/team/*`],
    });
    const role = (name: string): Caller => ({ arn: `arn:aws:iam::${ACCOUNT}:role/${name}`, own: [EVERY_API] });
    expect(mayCall(template, role('team/one'), SYSTEM)).toBe(true);
    expect(mayCall(template, { ...role('any'), context: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } }, SYSTEM)).toBe(true);
    expect(mayCall(template, { ...role('any'), context: { 'aws:PrincipalOrgID': 'o-other00000' } }, SYSTEM)).toBe(
      false,
    );
    expect(mayCall(template, role('any'), SYSTEM)).toBe(false);
  });

  it('lets in whom the configuration names, and the construct beside them', () => {
    const other = { arn: `arn:aws:iam::${ACCOUNT}:role/Other`, own: [EVERY_API] };
    const configured = [ADMINISTRATOR.arn ?? ''];
    const { template } = deployed({ configured, callers: [other.arn] });
    expect(mayCall(template, ADMINISTRATOR, SYSTEM)).toBe(true);
    expect(mayCall(template, other, SYSTEM)).toBe(true);
    expect(mayCall(deployed({ configured }).template, other, SYSTEM)).toBe(false);
  });

  it('has one open route, where somebody is trusted, and no other without a signature', () => {
    const { template } = deployed({ trust: [trustedWorkload] });
    expect(mayCall(template, {}, 'POST /oauth2/token')).toBe(true);
    for (const other of ['GET /oauth2/token', SYSTEM, 'POST /tokens/helpdesk/system', 'GET /connections']) {
      expect(mayCall(template, {}, other), other).toBe(false);
      expect(mayCall(template, ADMINISTRATOR, other), other).toBe(false);
    }
  });

  it('allows nothing but the open route and grants to other accounts', () => {
    const allowed = (options: DeployedOptions) =>
      apiPolicyOf(deployed(options).template).filter(({ Effect }) => Effect === 'Allow');
    expect(allowed({ callers: [ACCOUNT] })).toEqual([]);
    expect(allowed({ callers: [ACCOUNT], trust: [trustedWorkload] })).toEqual([
      {
        Effect: 'Allow',
        Principal: '*',
        Action: 'execute-api:Invoke',
        Resource: ['execute-api:/v1/POST/oauth2/token'],
      },
    ]);
  });

  it('is reached through its VPC endpoints alone where it is private', () => {
    const { template, caller } = withCaller({ endpoint: { private: ['vpce-0123abcd'] }, trust: [trustedWorkload] });
    const through = (endpoint: string) => ({ ...caller, context: { 'aws:SourceVpce': endpoint } });
    expect(mayCall(template, through('vpce-0123abcd'), SYSTEM)).toBe(true);
    expect(mayCall(template, through('vpce-other'), SYSTEM)).toBe(false);
    expect(mayCall(template, caller, SYSTEM)).toBe(false);
    expect(mayCall(template, {}, 'POST /oauth2/token')).toBe(false);
  });
});

describe('a principal of another account', () => {
  const { template } = deployed({
    build: (stack, broker) => {
      const role = iam.Role.fromRoleArn(stack, 'Other', FOREIGN_ROLE);
      broker.grantToken(role, 'helpdesk', { reports: false });
    },
  });
  const granted: Caller = { arn: FOREIGN_ROLE, own: [EVERY_API] };

  it('may do exactly what it is granted, and only where its own account allows it too', () => {
    expect(mayCall(template, granted, SYSTEM)).toBe(true);
    expect(mayCall(template, { ...granted, own: [] }, SYSTEM)).toBe(false);
    for (const other of ['POST /tokens/helpdesk/system', 'GET /tokens/wfm/system', 'GET /connections']) {
      expect(mayCall(template, granted, other), other).toBe(false);
    }
  });

  it('does not let in others of its account', () => {
    const other = { arn: 'arn:aws:iam::999999999999:role/another', own: [EVERY_API] };
    expect(mayCall(template, other, SYSTEM)).toBe(false);
  });

  it('may be the whole account', () => {
    const whole = deployed({
      build: (_stack, broker) => void broker.grantToken(new iam.AccountPrincipal('999999999999'), 'helpdesk'),
    });
    expect(mayCall(whole.template, granted, SYSTEM)).toBe(true);
    expect(mayCall(whole.template, granted, 'GET /tokens/helpdesk/88')).toBe(false);
  });

  it('that `callers` name may do nothing without a grant', () => {
    const named = deployed({ callers: ['999999999999'] });
    expect(mayCall(named.template, granted, SYSTEM)).toBe(false);
  });
});

describe('a policy that could not be deployed', () => {
  it.each(['*', 'anybody', 'arn:aws:iam::123:*', 'o-', '12345', 'arn:aws:sts::111122223333:assumed-role/R/s'])(
    'names %s, which is no caller',
    (caller) => {
      expect(() => deployed({ callers: [caller] })).toThrow('is no caller');
    },
  );

  it('is an error at synth over 8,192 bytes, which says what to do', () => {
    const callers = Array.from({ length: 150 }, (_, n) => `arn:aws:iam::${ACCOUNT}:role/a-role-with-a-name-${n}`);
    expect(() => deployed({ callers })).toThrow('Name many roles by one pattern');
    expect(() => deployed({ callers: callers.slice(0, 120) })).not.toThrow();
  });

  it('needs a principal that it cannot name, unless the operator names callers by himself', () => {
    const toGroup = (callers: readonly string[]) => () =>
      deployed({ callers, build: (stack, broker) => void broker.grantToken(new iam.Group(stack, 'G'), 'helpdesk') });
    expect(toGroup([])).toThrow("in the broker's `callers`");
    expect(toGroup([ACCOUNT])).not.toThrow();

    const toOtherStack = (callers: readonly string[]) => () =>
      deployed({
        callers,
        build: (stack, broker) => {
          const other = new Stack(stack.node.root, 'Other', { env: { account: ACCOUNT, region: REGION } });
          const role = new iam.Role(other, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
          broker.grantToken(role, 'helpdesk');
        },
      });
    expect(toOtherStack([])).toThrow('a role of another stack');
    expect(toOtherStack([`arn:aws:iam::${ACCOUNT}:role/*`])).not.toThrow();
  });
});
