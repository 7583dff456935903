/** List prices in US dollars, without any free tier; each under the page that says it. */
export const PRICES = {
  date: '2026-11-22',
  region: 'us-east-1',

  // https://aws.amazon.com/api-gateway/pricing/
  restApiRequest: 3.5 / 1e6,

  // https://aws.amazon.com/lambda/pricing/
  lambdaRequest: 0.2 / 1e6,
  /** A second of one GB, arm64. */
  lambdaGigabyteSecond: 0.0000133334,

  // https://aws.amazon.com/dynamodb/pricing/on-demand/
  /** A strongly consistent read of 4 KB; an eventually consistent one is half. */
  dynamodbReadUnit: 0.125 / 1e6,
  dynamodbWriteUnit: 0.625 / 1e6,

  // https://aws.amazon.com/kms/pricing/
  kmsRequest: 0.03 / 1e4,
  /** A key, and each of its first two rotations. */
  kmsKeyMonth: 1,

  // https://aws.amazon.com/secrets-manager/pricing/
  secretRequest: 0.05 / 1e4,
  secretMonth: 0.4,

  // https://aws.amazon.com/cloudwatch/pricing/
  logGigabyte: 0.5,
  /** Kept, compressed. */
  logGigabyteMonth: 0.03,
  /** By the hour in which it has data. */
  metricMonth: 0.3,
  /** One metric; of an alarm that queries, each metric that the query finds. */
  alarmMetricMonth: 0.1,
  dashboardMonth: 3,

  // https://aws.amazon.com/eventbridge/pricing/
  schedulerInvocation: 1 / 1e6,

  // https://aws.amazon.com/xray/pricing/
  trace: 5 / 1e6,

  // https://aws.amazon.com/ec2/pricing/on-demand/
  internetGigabyte: 0.09,
  /** One t3.medium. */
  vaultInstanceHour: 0.0416,

  // https://aws.amazon.com/vpc/pricing/
  natGatewayHour: 0.045,

  // https://aws.amazon.com/privatelink/pricing/
  /** One endpoint in one zone. */
  endpointHour: 0.01,
} as const;

/** Assumptions where nothing can be counted on loopback. */
export const ASSUMED = {
  memoryGigabytes: 0.5,
  /** Billed for a hand-out from memory, and for one from the store. */
  memoryHitMs: 2,
  storeHitMs: 10,
  /** Billed for `mint` at a login. */
  mintMs: 1_000,
  /** Bytes of Lambda's START, END and REPORT lines and of the API's access log, for a request. */
  platformLogBytes: 900,
  /** Bytes of an answer with its headers. */
  answerBytes: 2_000,
  /** Size of kept logs over what came in, as CloudWatch's own examples have it, and how long the stack keeps them. */
  logsCompressed: 0.15,
  logMonths: 3,
  /** Decrypts of one slot's key: five minutes each, of ten hours, on 50 instances. */
  decryptsOfASlot: 50 * 120,
  loginMs: 200,
  sweepMs: 60,
  /** Billed for the canary, which waits for its hand-out. */
  canaryMs: 300,
  sweepLogBytes: 1_100,
  hoursAMonth: 730,
  daysAMonth: 30,
  sweepsAMonth: 43_800,
  /** Zones that a VPC spans. */
  zones: 2,
  vaultInstances: 3,
} as const;

/** Ceilings in dollars for what the table sums up. */
export const CEILINGS = { million: 5, connection: 1, metrics: 1, idle: 2 } as const;
