/**
 * Stands in a bundle for the SDK's cache of discovered endpoints. DynamoDB's client makes one, and none of its commands
 * discovers endpoints, so it stays empty: the real one, with a package of data structures, would be weight alone.
 */
export class EndpointCache {}
