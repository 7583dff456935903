import { demoHelpmasterSecret } from './helpmaster-knobs.ts';

const jsonContent = (schema: object, example?: unknown) => ({
  'application/json': { schema, ...(example === undefined ? {} : { example }) },
});

const tokenAnswers = {
  '200': {
    description: 'Success',
    content: jsonContent(
      { type: 'object', required: ['token'], properties: { token: { type: 'string' } } },
      { token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyaWQiOiI4OCJ9.c2lnbmF0dXJl' },
    ),
  },
  '401': { description: 'The key is not valid, suspended or locked' },
};

const gatedAnswers = {
  '200': {
    description: 'Says who the call acted as',
    content: jsonContent(
      {
        type: 'object',
        properties: {
          success: { type: 'boolean' },
          actingAs: { type: 'object', properties: { userid: { type: 'string' }, name: { type: 'string' } } },
        },
      },
      { success: true, actingAs: { userid: '88', name: 'Staff member 88' } },
    ),
  },
  '401': { description: 'No token, or one that is not valid' },
};

const gated = [{ bearer: [] }];

/** OpenAPI document of the demo HelpMaster, for Swagger UI at `/swagger`. */
export const helpmasterOpenapi = {
  openapi: '3.0.3',
  info: {
    title: 'HelpMaster WebAPI (demo)',
    version: 'v1',
    description:
      'A local stand-in. Get a token with your API key, choose Authorize, paste the token without quotes, then Close (not Logout).',
  },
  tags: [{ name: 'User' }, { name: 'Jobs' }, { name: 'Clients' }],
  paths: {
    '/User/GetToken/': {
      post: {
        tags: ['User'],
        operationId: 'getToken',
        summary: 'Get a token that acts as one staff member',
        requestBody: {
          required: true,
          content: jsonContent(
            {
              type: 'object',
              required: ['apiKey', 'loggedInUserPKID'],
              properties: { apiKey: { type: 'string' }, loggedInUserPKID: { type: 'integer', format: 'int32' } },
            },
            { ...demoHelpmasterSecret, loggedInUserPKID: 88 },
          ),
        },
        responses: { ...tokenAnswers, '400': { description: 'No such staff member' } },
      },
    },
    '/User/GetSystemToken/': {
      post: {
        tags: ['User'],
        operationId: 'getSystemToken',
        summary: 'Get a token that acts as HelpMaster System',
        requestBody: {
          required: true,
          content: jsonContent(
            { type: 'object', required: ['apiKey'], properties: { apiKey: { type: 'string' } } },
            demoHelpmasterSecret,
          ),
        },
        responses: tokenAnswers,
      },
    },
    '/jobs/MyOpenJobs': {
      get: {
        tags: ['Jobs'],
        operationId: 'myOpenJobs',
        summary: 'Open jobs of whom the token acts as',
        security: gated,
        responses: gatedAnswers,
      },
    },
    '/jobs/LogJobFromJobTemplate': {
      post: {
        tags: ['Jobs'],
        operationId: 'logJobFromJobTemplate',
        summary: 'Log a job',
        security: gated,
        requestBody: { required: true, content: jsonContent({ type: 'object' }, { subject: 'Printer' }) },
        responses: gatedAnswers,
      },
    },
    '/Clients/CreateNewClient': {
      post: {
        tags: ['Clients'],
        operationId: 'createNewClient',
        summary: 'Make a client',
        security: gated,
        requestBody: { required: true, content: jsonContent({ type: 'object' }, { name: 'A. Client' }) },
        responses: gatedAnswers,
      },
    },
  },
  components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
};
