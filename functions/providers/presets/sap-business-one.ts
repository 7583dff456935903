import { body, type Provider } from '../provider.ts';

/**
 * SAP Business One Service Layer: both cookies go back, the second leads to the node that holds the session. Its idle
 * life is taken as absolute.
 * https://support.huaweicloud.com/bestpractice-sparkpack/zh-cn_topic_0000002510618029.html (a third party: no vendor's
 * text was seen)
 */
export const sapBusinessOne = {
  secretFields: { userName: {}, password: {} },
  settings: { company: { kind: 'text' } },
  logins: {
    system: [
      {
        url: '/b1s/v1/Login',
        json: { CompanyDB: '{company}', UserName: '{userName}', Password: '{password}' },
        reads: { token: { in: 'cookies' }, life: body('SessionTimeout') },
      },
    ],
  },
  placement: { headers: { cookie: '{token}' } },
  lifetime: [{ value: 'life', as: 'minutes' }],
  logout: { url: '/b1s/v1/Logout', headers: { cookie: '{token}' } },
} as const satisfies Provider;
