import { body, type Provider } from '../provider.ts';

const LOGIN =
  '<login><userid>{userId}</userid><companyid>{company}</companyid><password>{userPassword}</password></login>';
const REQUEST = `<?xml version="1.0" encoding="UTF-8"?><request><control><senderid>{senderId}</senderid><password>{senderPassword}</password><controlid>{at}</controlid><uniqueid>false</uniqueid><dtdversion>3.0</dtdversion></control><operation><authentication>${LOGIN}</authentication><content><function controlid="{id}"><getAPISession/></function></content></operation></request>`;

/**
 * Sage Intacct XML API: the session travels inside the XML of each request, so it is handed out and never placed. It is
 * good at the endpoint that the answer names, which callers get as `base_url`.
 * https://developer.intacct.com/api/company-console/api-sessions/ and https://developer.intacct.com/support/faq/
 * Not seen in the vendor's text: `sessiontimeout`.
 */
export const sageIntacctXml = {
  secretFields: { senderId: {}, senderPassword: {}, userId: {}, userPassword: {} },
  settings: { company: { kind: 'text' } },
  derived: { at: { time: 'milliseconds' }, id: { random: 'uuid' } },
  logins: {
    system: [
      {
        url: '/ia/xml/xmlgw.phtml',
        xml: REQUEST,
        answer: 'xml',
        reads: {
          token: body('response', 'operation', 'result', 'data', 'api', 'sessionid'),
          endpoint: body('response', 'operation', 'result', 'data', 'api', 'endpoint'),
          end: body('response', 'operation', 'authentication', 'sessiontimeout'),
        },
      },
    ],
  },
  placement: { baseUrl: '{endpoint}', hosts: ['*.intacct.com'] },
  lifetime: [{ value: 'end', as: 'date' }, { seconds: 3600 }],
  answers: [{ at: body('response', 'operation', 'authentication', 'status'), is: ['failure'], means: 'credential' }],
} as const satisfies Provider;
