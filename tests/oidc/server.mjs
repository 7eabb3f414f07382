// The authorization server of the tests in tests/tests/oidc: the package oidc-provider on a free port of this machine,
// with everything in memory. Its one argument is {"clients": […], "access_token_life_s": …}. It prints one line,
// {"issuer": …}, when it listens, and ends when its standard input does.
//
// Beside the provider's own routes: GET /tally counts token calls, POST /advance/SECONDS moves this process's clock.

import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';

import Provider from 'oidc-provider';

const { clients, access_token_life_s } = JSON.parse(process.argv[2]);

const realNow = Date.now;
let ahead = 0;
Date.now = () => realNow() + ahead;

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const provider = new Provider(issuer, {
  clients,
  clientDefaults: {
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    id_token_signed_response_alg: 'ES256',
  },
  jwks: { keys: [privateKey.export({ format: 'jwk' })] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  scopes: ['openid', 'offline_access', 'diary'],
  claims: { openid: ['sub'], diary: ['entries', 'begun_on'] },
  findAccount: (_, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, entries: 3, begun_on: '2026-01-01' }),
  }),
  pkce: { methods: ['S256'], required: () => true },
  rotateRefreshToken: true,
  // Tokens end when they say they do.
  clockTolerance: 0,
  ttl: {
    AccessToken: access_token_life_s,
    AuthorizationCode: 60,
    Grant: 14 * 86_400,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 14 * 86_400,
    Session: 3600,
  },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
});

const tally = { token_calls: 0, codes: 0, refreshes: 0, refused: 0, revoked_grants: 0 };
provider.on('grant.success', ({ oidc }) => {
  tally[oidc.params.grant_type === 'refresh_token' ? 'refreshes' : 'codes'] += 1;
});
provider.on('grant.error', () => { tally.refused += 1; });
provider.on('grant.revoked', () => { tally.revoked_grants += 1; });
provider.on('server_error', (_, error) => console.error(error));

// The user's part, without a page: whoever the request names logs in and agrees to all that it asks for, except
// "refuses", who agrees to nothing, and "picky", who keeps the diary.
async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const login = params.login_hint;
  let result;
  if (prompt.name === 'login') {
    result = { login: { accountId: login } };
  } else if (login === 'refuses') {
    result = { error: 'access_denied' };
  } else {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    if (login === 'picky') grant.rejectOIDCScope('diary');
    result = { consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(request, response, result);
}

const handle = provider.callback();
server.on('request', (request, response) => {
  const [, first, second] = request.url.split('/');
  if (first === 'interaction') {
    interact(request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  } else if (first === 'tally') {
    response.end(JSON.stringify(tally));
  } else if (first === 'advance') {
    ahead += Number(second) * 1000;
    response.writeHead(204).end();
  } else {
    if (request.method === 'POST' && request.url === '/token') tally.token_calls += 1;
    handle(request, response);
  }
});

process.stdin.resume().on('end', () => process.exit());
console.log(JSON.stringify({ issuer }));
