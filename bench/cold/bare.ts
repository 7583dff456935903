/** The least that a handler can be. */
export const handler = async () => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"access_token":"constant"}',
});
