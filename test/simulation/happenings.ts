import type { HandOutRecord } from '../../functions/core/hand-out/audit.ts';
import type { HandOut, HandOutRequest } from '../../functions/core/hand-out/hand-out.ts';
import type { KeptValue } from '../../functions/core/mint/kept-value.ts';
import type { UpstreamFailure } from '../../functions/core/mint/upstream.ts';
import type { Logins } from '../../functions/core/slot/logins.ts';
import type { BrokerErrorCode } from '../../functions/core/words/errors.ts';
import type { KeptAccess, LoginsWrite, PermitWrite, TableWrite } from './memory-table.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { IssuedToken } from './upstream-accounts.ts';

/** One request that the broker sent; true times. */
export interface UpstreamRequest {
  readonly kind: 'login' | 'slide' | 'logout';
  readonly connection: string;
  readonly subject: string;
  readonly process: string;
  readonly loginsReadAt: number;
  /** The item of the logins as the sender had read it. */
  readonly loginsRead: Logins | undefined;
  readonly at: number;
  /** The same moment by the sender's clock. */
  readonly clockAt: number;
  readonly timeoutMs: number;
  /** The credential of a login: of one that rotates, the operator's own that it came from. */
  readonly credential?: string;
  /** The refresh token that was sent, where it rotates. */
  readonly refreshToken?: string;
  /** The next one, which the upstream gave for it. */
  next?: string;
  /** The hash of the token that a logout ends. */
  readonly ends?: string;
  /** The fingerprint of the connection that it was sent for. */
  readonly fingerprint: string;
  /** The time of the answer to the broker. Absent while it waits, or if it never came. */
  endedAt?: number;
  /** `token`, `ended` after a logout, or the code that the broker was given. */
  outcome?: 'token' | 'ended' | BrokerErrorCode;
  backOff?: UpstreamFailure['backOff'];
  issued?: IssuedToken;
  /** Fault that befell it. */
  fault?: string | undefined;
  /** Part of the login that the upstream refused. */
  refused?: 'credential' | 'subject' | 'locked' | 'grant';
}

/** One call that the proxy forwarded; true times. */
export interface ForwardedCall {
  readonly connection: string;
  readonly subject: string;
  readonly process: string;
  readonly at: number;
  readonly timeoutMs: number;
  endedAt?: number;
  status?: number;
}

/** A write to the table, with when (true time) and by which process. */
export interface RecordedWrite extends TableWrite {
  readonly at: number;
  readonly by: string;
}

/** A change of the item of a connection's logins, with when (true time) and by which process. */
export interface RecordedLogins extends LoginsWrite {
  readonly at: number;
  readonly by: string;
}

/** A reading or a change of the item of a connection's kept values, or a new `version` of its kept secret. */
export interface RecordedKept extends KeptAccess {
  readonly at: number;
  readonly by: string;
  /** The value of the version, or the one that waits in the item from now on. */
  readonly value: KeptValue | undefined;
}

/** A change of one of a connection's permits, with when (true time) and by which process. */
export interface RecordedPermit extends PermitWrite {
  readonly at: number;
  readonly by: string;
}

/** A step of a wait for a token; true times. */
export interface RecordedWait {
  readonly wait: {
    readonly connection: string;
    readonly process: SimulatedProcess;
    /** The deadline of its request. */
    readonly lastsUntil: number;
  };
  readonly phase: 'asks' | 'waits' | 'ends' | 'has ended';
  readonly at: number;
}

/** An audit record, with when it was written (true time) and by which instance. */
export interface AuditEntry extends HandOutRecord {
  readonly writtenAt: number;
  readonly instance: string;
}

/** An answer to a caller. True times; `auditsBefore` is how many audit records there were when it was given. */
export interface Answer {
  readonly request: Omit<HandOutRequest, 'deadline'>;
  readonly instance: string;
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly auditsBefore: number;
  readonly handOut?: HandOut;
  readonly error?: BrokerErrorCode;
  readonly retryAfterMs?: number;
}

/** A token that the upstream issued for a request, whether or not its answer is ever heard. */
export interface IssuedFor {
  readonly request: UpstreamRequest;
  readonly issued: IssuedToken;
}

/** A version of a secret that got a label. */
export interface RecordedLabel {
  readonly at: number;
  readonly versionId: string;
  readonly value: string;
  readonly label: 'current' | 'candidate';
}

/** All kinds of what is logged, each with what is known of it. */
export interface Happenings {
  write: RecordedWrite;
  logins: RecordedLogins;
  kept: RecordedKept;
  label: RecordedLabel;
  permit: RecordedPermit;
  wait: RecordedWait;
  audit: AuditEntry;
  answer: Answer;
  /** A login, a slide or a logout was sent. */
  sent: UpstreamRequest;
  issued: IssuedFor;
  /** The upstream took a login for a bad one. */
  counted: { readonly request: UpstreamRequest; readonly at: number };
  /** The broker has its answer, or has stopped waiting. */
  heard: UpstreamRequest;
  /** A proxied call was sent. */
  forwarded: ForwardedCall;
  returned: ForwardedCall;
  /** A proxied call threw what is no error of the broker's own. */
  unforeseen: { readonly at: number; readonly what: string };
}

/** The slot of a happening, or all subjects of the connection if none is named. */
export interface About {
  readonly connection: string;
  readonly subject?: string;
  /** One of several configurations of the connection, if only that. */
  readonly fingerprint?: string;
}

/** One thing that happened, as it is logged. */
export type Happening<Kind extends keyof Happenings = keyof Happenings> = {
  readonly [Each in Kind]: {
    readonly kind: Each;
    /** True time. */
    readonly at: number;
    readonly about: About;
    readonly what: Happenings[Each];
  };
}[Kind];

/** Logs something that happens now. */
export type Log = <Kind extends keyof Happenings>(kind: Kind, about: About, what: Happenings[Kind]) => void;

/** Receives everything that happens to one slot, in order, each thing once. */
export type Watch = { readonly [Kind in keyof Happenings]?: (what: Happenings[Kind]) => void };
