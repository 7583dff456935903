/** List prices in dollars, us-east-1, without any free tier. */
export const PRICES = {
  date: '2026-11-22',
  region: 'us-east-1',
  restApiRequest: 3.5 / 1e6,
  lambdaRequest: 0.2 / 1e6,
  /** A second of one GB, arm64. */
  lambdaGigabyteSecond: 0.0000133334,
  /** A strongly consistent read of 4 KB; an eventually consistent one is half. */
  dynamodbReadUnit: 0.125 / 1e6,
  dynamodbWriteUnit: 0.625 / 1e6,
  kmsRequest: 0.03 / 1e4,
  kmsKeyMonth: 1,
  secretRequest: 0.05 / 1e4,
  secretMonth: 0.4,
  logGigabyte: 0.5,
  schedulerInvocation: 1 / 1e6,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  dashboardMonth: 3,
  /** One t3.medium for an hour. */
  vaultInstanceHour: 0.0416,
} as const;

/** Assumptions where nothing can be counted on loopback. */
export const ASSUMED = {
  memoryGigabytes: 0.5,
  /** Billed for a hand-out from memory, and for one from the store. */
  memoryHitMs: 2,
  storeHitMs: 10,
  /** Bytes of Lambda's START, END and REPORT lines and of the API's access log, for a request. */
  platformLogBytes: 900,
  loginMs: 200,
  sweepMs: 60,
  hoursAMonth: 730,
  sweepsAMonth: 43_800,
  vaultInstances: 3,
} as const;
