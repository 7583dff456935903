import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { describe, expect, it } from 'vitest';
import type { ITokenBroker } from '../../cdk/grants.ts';
import { TokenBroker } from '../../cdk/token-broker.ts';
import { ACCOUNT, declared, deployed, newApp, REGION } from './deployed.ts';
import { policiesOf } from './deployed-policies.ts';

const API = `arn:aws:execute-api:${REGION}:${ACCOUNT}`;

/** Grants to a role named `Caller`, and asks what it may then invoke, as `METHOD path`. */
function granted(grant: (broker: ITokenBroker, caller: iam.Role) => void): (request: string) => boolean {
  const { template } = deployed({
    build: (stack, broker) => {
      grant(broker, new iam.Role(stack, 'CallerRole', { assumedBy: new iam.AccountRootPrincipal() }));
    },
  });
  const policies = policiesOf(template);
  const [apiId] = Object.keys(template.findResources('AWS::ApiGateway::RestApi'));
  return (request) => {
    const [method, path] = request.split(' ');
    return policies.may('Caller', 'execute-api:Invoke', `${API}:${apiId}/v1/${method}${path}`);
  };
}

/** Grants to a role, and gives the policies that it then has. */
function grantsOf(grant: (broker: ITokenBroker, caller: iam.Role) => void) {
  const { template } = deployed({
    connections: { ...declared, any_staff: { ...declared.helpdesk, subjects: { system: true, staff: true } } },
    build: (stack, broker) => {
      grant(broker, new iam.Role(stack, 'CallerRole', { assumedBy: new iam.AccountRootPrincipal() }));
    },
  });
  return Object.entries(template.toJSON()['Resources']).flatMap(([id, resource]) => {
    const { Type: type, Properties } = resource as { Type: string; Properties: { PolicyDocument?: unknown } };
    const isOfCaller = id.startsWith('CallerRole') && Properties.PolicyDocument !== undefined;
    return isOfCaller ? [{ type, document: Properties.PolicyDocument }] : [];
  });
}

describe('grantToken', () => {
  it('allows hand-out and rejection of the system subject of one connection, and nothing else', () => {
    const may = granted((broker, caller) => broker.grantToken(caller, 'helpdesk'));
    expect(may('GET /tokens/helpdesk/system')).toBe(true);
    expect(may('POST /tokens/helpdesk/system')).toBe(true);
    for (const other of [
      'DELETE /tokens/helpdesk/system',
      'GET /tokens/helpdesk/88',
      'GET /tokens/helpdesk/system/x',
      'GET /tokens/helpdesk/systemx',
      'GET /tokens/wfm/system',
      'GET /tokens/helpdesk2/system',
      'GET /connections',
      'GET /connections/helpdesk',
      'POST /connections/helpdesk/try',
      'GET /proxy/helpdesk/system/tickets',
      'ANY /tokens/helpdesk/system',
    ]) {
      expect(may(other), other).toBe(false);
    }
  });

  it('lets the named subjects be had alone', () => {
    const may = granted((broker, caller) => broker.grantToken(caller, 'helpdesk', { subjects: ['88'] }));
    expect(may('GET /tokens/helpdesk/88')).toBe(true);
    for (const other of ['system', '8', '888', '42', '88/x'])
      expect(may(`GET /tokens/helpdesk/${other}`), other).toBe(false);
  });

  it('lets every subject of the connection be had where that is said, and nothing of another', () => {
    const may = granted((broker, caller) => broker.grantToken(caller, 'helpdesk', { subjects: 'all' }));
    for (const subject of ['system', '88', '42']) expect(may(`GET /tokens/helpdesk/${subject}`), subject).toBe(true);
    for (const other of ['GET /tokens/wfm/system', 'DELETE /tokens/helpdesk/88', 'GET /connections/helpdesk'])
      expect(may(other), other).toBe(false);
  });

  it("lets a session have the subject that its principal's tag names", () => {
    const policies = grantsOf((broker, caller) =>
      broker.grantToken(caller, 'helpdesk', { subjects: { principalTag: 'staff-pkid' }, reports: false }),
    );
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM's.
    expect(JSON.stringify(policies)).toContain('/v1/GET/tokens/helpdesk/${aws:PrincipalTag/staff-pkid}"');
    expect(() =>
      grantsOf((broker, caller) => broker.grantToken(caller, 'helpdesk', { subjects: { principalTag: 'a}*' } })),
    ).toThrow('is not the key of a tag');
  });

  it('allows no report of a refused token where that is said', () => {
    const may = granted((broker, caller) => broker.grantToken(caller, 'helpdesk', { reports: false }));
    expect(may('GET /tokens/helpdesk/system')).toBe(true);
    expect(may('POST /tokens/helpdesk/system')).toBe(false);
  });

  it.each([33, 200])('spreads %i subjects over policies that a role can have', (count) => {
    const subjects = Array.from({ length: count }, (_, n) => String(n + 1));
    const policies = grantsOf((broker, caller) => broker.grantToken(caller, 'any_staff', { subjects }));
    for (const { type, document } of policies) {
      const limit = type === 'AWS::IAM::Policy' ? 10_240 : 6_144;
      expect(JSON.stringify(document).length).toBeLessThan(limit);
    }
    expect(policies.length).toBeLessThanOrEqual(11);
    expect(new Set(JSON.stringify(policies).match(/GET\/tokens\/any_staff\/[0-9]+/g)).size).toBe(count);
  });

  it('throws where a role could not carry the grant, over all grants to it, and says what to do', () => {
    const subjects = Array.from({ length: 200 }, (_, n) => String(n + 1));
    expect(() =>
      grantsOf((broker, caller) => {
        broker.grantToken(caller, 'any_staff', { subjects });
        broker.grantToken(caller, 'any_staff', { subjects: subjects.map((subject) => `9${subject}`) });
      }),
    ).toThrow("Grant `subjects: 'all'`");
  });

  it('throws for an unknown connection and lists the known', () => {
    expect(() => granted((broker, caller) => broker.grantToken(caller, 'nope'))).toThrow(
      'There is no connection "nope". There are: helpdesk, wfm.',
    );
  });

  it('throws for what is no subject, a wildcard above all, and for one that is not served', () => {
    const subjects =
      (...names: string[]) =>
      () =>
        granted((broker, caller) => broker.grantToken(caller, 'helpdesk', { subjects: names }));
    for (const subject of ['*', '8*', '', '0', '088', 'System', '../wfm/system', '2147483648']) {
      expect(subjects(subject), subject).toThrow('is not a subject');
    }
    expect(subjects('7')).toThrow('does not serve the subject 7');
    expect(subjects()).toThrow('names no subject');
  });

  it('throws where a connection hands out nothing', () => {
    const connections = { wfm: { ...declared.wfm, tokensOverlap: false, proxy: {} } };
    const build = (stack: Stack, broker: TokenBroker) =>
      void broker.grantToken(new iam.Role(stack, 'CallerRole', { assumedBy: new iam.AccountRootPrincipal() }), 'wfm');
    expect(() => deployed({ connections, build })).toThrow('use grantProxy');
  });
});

describe('grantProxy', () => {
  it('lets the declared methods and paths through, for one subject', () => {
    const may = granted((broker, caller) => broker.grantProxy(caller, 'helpdesk'));
    expect(may('GET /proxy/helpdesk/system/tickets')).toBe(true);
    expect(may('POST /proxy/helpdesk/system/tickets/1/notes')).toBe(true);
    for (const other of [
      'DELETE /proxy/helpdesk/system/tickets',
      'GET /proxy/helpdesk/system/users',
      'GET /proxy/helpdesk/system/ticketsx',
      'GET /proxy/helpdesk/88/tickets',
      'GET /proxy/wfm/system/tickets',
      'GET /tokens/helpdesk/system',
    ]) {
      expect(may(other), other).toBe(false);
    }
  });

  it('throws where a connection declares no proxy', () => {
    expect(() => granted((broker, caller) => broker.grantProxy(caller, 'wfm'))).toThrow('declares no proxy');
  });
});

describe('grantOperate', () => {
  it('allows status, tries and purge of one connection', () => {
    const may = granted((broker, caller) => broker.grantOperate(caller, 'helpdesk'));
    expect(may('GET /connections')).toBe(true);
    expect(may('GET /connections/helpdesk')).toBe(true);
    expect(may('POST /connections/helpdesk/try')).toBe(true);
    expect(may('DELETE /tokens/helpdesk/88')).toBe(true);
    for (const other of [
      'GET /tokens/helpdesk/88',
      'POST /tokens/helpdesk/88',
      'DELETE /tokens/wfm/system',
      'GET /connections/wfm',
      'POST /connections/wfm/try',
      'POST /connections/helpdesk',
    ]) {
      expect(may(other), other).toBe(false);
    }
  });

  it('is for every connection where none is named, and gives no token even then', () => {
    const may = granted((broker, caller) => broker.grantOperate(caller));
    expect(may('DELETE /tokens/wfm/system')).toBe(true);
    expect(may('GET /connections/wfm')).toBe(true);
    expect(may('POST /connections/wfm/try')).toBe(true);
    expect(may('GET /tokens/wfm/system')).toBe(false);
  });
});

describe('a grantee', () => {
  const elsewhere = 'arn:aws:iam::999999999999:role/other';

  it('of another account is refused where the broker is of another app, whose API must allow it as well', () => {
    const stack = new Stack(newApp(), 'Caller', { env: { account: ACCOUNT, region: REGION } });
    const broker = TokenBroker.fromAttributes(stack, 'Broker', { apiId: 'abcde12345', connections: { helpdesk: {} } });
    const role = iam.Role.fromRoleArn(stack, 'Other', elsewhere);
    expect(() => broker.grantToken(role, 'helpdesk')).toThrow("grant in the broker's own app");
  });

  it('that has no policy to add to is refused', () => {
    const build = (_stack: Stack, broker: TokenBroker) =>
      void broker.grantOperate({ grantPrincipal: new iam.ServicePrincipal('ec2.amazonaws.com') });
    expect(() => deployed({ build })).toThrow('no policy to add to');
  });

  it('of this account is granted, when it was made elsewhere too', () => {
    const build = (stack: Stack, broker: TokenBroker) =>
      void broker.grantToken(iam.Role.fromRoleArn(stack, 'Same', `arn:aws:iam::${ACCOUNT}:role/same`), 'helpdesk');
    deployed({ build }).template.hasResourceProperties('AWS::IAM::Policy', { Roles: ['same'] });
  });
});

describe('fromAttributes', () => {
  function imported(): { readonly stack: Stack; readonly broker: ITokenBroker } {
    const stack = new Stack(newApp(), 'Caller', { env: { account: ACCOUNT, region: REGION } });
    const broker = TokenBroker.fromAttributes(stack, 'Broker', {
      apiId: 'abcde12345',
      connections: { helpdesk: {} },
    });
    return { stack, broker };
  }

  it('grants from a broker of another app, and makes nothing but the grant', () => {
    const { stack, broker } = imported();
    const role = new iam.Role(stack, 'CallerRole', { assumedBy: new iam.AccountRootPrincipal() });
    broker.grantToken(role, 'helpdesk', { subjects: ['88'] });
    const template = Template.fromStack(stack);
    const policies = policiesOf(template);
    expect(policies.may('Caller', 'execute-api:Invoke', `${API}:abcde12345/v1/GET/tokens/helpdesk/88`)).toBe(true);
    expect(policies.may('Caller', 'execute-api:Invoke', `${API}:abcde12345/v1/GET/tokens/helpdesk/42`)).toBe(false);
    expect(Object.keys(template.toJSON()['Resources'])).toHaveLength(2);
  });

  it('throws for a connection that it was not told of', () => {
    const { stack, broker } = imported();
    const role = new iam.Role(stack, 'CallerRole', { assumedBy: new iam.AccountRootPrincipal() });
    expect(() => broker.grantToken(role, 'wfm')).toThrow('There are: helpdesk.');
  });
});
