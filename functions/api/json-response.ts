import type { APIGatewayProxyResult } from 'aws-lambda';

/** The headers of a JSON answer that no cache may keep. */
export const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const;

/** A JSON answer that no cache may keep. */
export function createJsonResponse(statusCode: number, body: unknown): APIGatewayProxyResult {
  return {
    statusCode,
    headers: { ...JSON_HEADERS },
    body: JSON.stringify(body),
  };
}
