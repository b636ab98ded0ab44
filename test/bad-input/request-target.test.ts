import { aiProxyMulti } from 'ai-proxy-multi';
import { describe, expect, it } from 'vitest';
import { instance, post, serve } from '../support/app.ts';
import { sendRaw, startGateway } from '../support/gateway.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';

describe('a request target', () => {
  it.each(['OPTIONS *', 'GET *', 'DELETE *'])('that is no path is a 400: %s', async (line) => {
    const { app, upstream } = await startGateway();
    expect(await sendRaw(app.port, line)).toMatchObject({ status: 400, code: 'invalid_request_target' });
    expect(upstream.calls).toEqual([]);
    expect(app.finished[0]).toMatchObject({ llm_outcome: 'rejected' });
    expect(app.middleware.status()).toMatchObject({
      in_flight: 0,
      instances: [{ in_flight: 0, attempts: 0 }],
    });
    expect((await post(app.url)).status).toBe(200);
  });

  it.each([
    ['names another host', 'http://elsewhere.test/v1/models?x=1', '/v1/models?x=1'],
    ['names another host and no path', 'http://elsewhere.test', '/'],
    ['names another host and only a query', 'http://elsewhere.test?x=1', '/?x=1'],
    ['names another host with credentials', 'http://user:pass@elsewhere.test:81/v1/models', '/v1/models'],
    ['names no host', 'http://', '/'],
    ['names half an address', 'http://[', '/'],
    ['starts with two slashes', '//elsewhere.test/v1/models', '//elsewhere.test/v1/models'],
    ['climbs', '/../../v1/./models', '/../../v1/./models'],
    ['holds another URL', '/http://elsewhere.test/', '/http://elsewhere.test/'],
    ['holds what URLs have escaped', '/a|b^{c}"<d>`?q=[x]|^{}"<>`', '/a|b^{c}"<d>`?q=[x]|^{}"<>`'],
    ['holds escapes that are none', '/%zz/%?a=%&b=%0', '/%zz/%?a=%&b=%0'],
    ['holds escaped control characters', '/a%0d%0aX-Evil:%201?b=%00%0a', '/a%0d%0aX-Evil:%201?b=%00%0a'],
    ['holds an escaped number sign and backslash', '/a%23b%5Cc?d=%23', '/a%23b%5Cc?d=%23'],
    ['holds a backslash in its query', '/a?b=\\c', '/a?b=\\c'],
    ['holds several question marks', '/a??b?c', '/a??b?c'],
    ['is long', `/${'a'.repeat(12_000)}`, `/${'a'.repeat(12_000)}`],
  ])('that %s goes to the instance and nowhere else, as a path', async (_what, target, sent) => {
    const upstream = await startUpstream(echoModel());
    const { port } = await serve(aiProxyMulti({ instances: [instance('one', upstream.url)] }));
    expect((await sendRaw(port, `GET ${target}`)).status).toBe(200);
    expect(upstream.calls).toMatchObject([{ url: sent, headers: { host: new URL(upstream.url).host } }]);
  });

  it.each([
    ['a chat for one of the models', 'POST /v1/chat/completions#/models/x'],
    ['a chat for one of the models, behind a query', 'POST /v1/models?a=1#/chat'],
    ['a chat for a file, by backslashes', 'POST /v1/files/x\\..\\..\\chat\\completions'],
    ['another host for a path', 'GET /\\elsewhere.test\\v1'],
    ['nothing for a path', 'GET /v1/models#'],
  ])('that URL parsers read in another way is a 400: %s', async (_what, line) => {
    const { app, upstream } = await startGateway();
    const body = line.startsWith('POST') ? '{"messages":[]}' : '';
    const answer = await sendRaw(app.port, line, [`Content-Length: ${body.length}`], body);
    expect(answer).toMatchObject({ status: 400, code: 'invalid_request_target' });
    expect(upstream.calls).toEqual([]);
  });

  it('loses its mount point in absolute form, too', async () => {
    const { app, upstream } = await startGateway({}, { mount: '/ai' });
    expect((await sendRaw(app.port, 'GET http://elsewhere.test/ai/v1/models')).status).toBe(200);
    expect(upstream.calls[0]?.url).toBe('/v1/models');
  });

  it('cannot leave the path an instance is pinned to', async () => {
    const upstream = await startUpstream(echoModel());
    const pinned = { endpoint: `${upstream.url}/tenant/api?version=1` };
    const { port } = await serve(
      aiProxyMulti({ instances: [instance('one', upstream.url, { override: pinned })] }),
    );
    for (const target of ['/../admin', '//elsewhere.test', 'http://elsewhere.test/admin']) {
      expect((await sendRaw(port, `GET ${target}?x=1`)).status).toBe(200);
    }
    expect(upstream.calls.map((call) => call.url)).toEqual(Array(3).fill('/tenant/api?version=1&x=1'));
  });
});
