import { describe, expect, it } from 'vitest';
import { scanDocument } from '../../lib/request/json-document.ts';
import { protocolOfBody, protocolOfPath } from '../../lib/request/recognise-protocol.ts';
import { instance, post, startApp } from '../support/app.ts';
import { refusalOf, sendRaw, startGateway } from '../support/gateway.ts';
import { echoModel, startUpstream } from '../support/upstream.ts';

describe('the end of the path', () => {
  it.each([
    ['/v1/chat/completions', 'openai-chat'],
    ['/chat/completions', 'openai-chat'],
    ['/v1beta/openai/chat/completions', 'openai-chat'],
    ['/openai/deployments/gpt-4o/chat/completions', 'openai-chat'],
    ['/v1/responses', 'openai-responses'],
    ['/responses', 'openai-responses'],
    ['/v1/embeddings', 'openai-embeddings'],
    ['/embeddings', 'openai-embeddings'],
    ['/v1/messages', 'anthropic-messages'],
    ['/anthropic/v1/messages', 'anthropic-messages'],
    ['/model/anthropic.claude-v2%3A1/converse', 'bedrock-converse'],
    ['/model/m/converse-stream', 'bedrock-converse'],
    ['/v1/messages/count_tokens', 'passthrough'],
    ['/v1/completions', 'passthrough'],
    ['/completions', 'passthrough'],
    ['/v1/moderations', 'passthrough'],
    ['/v1/audio/speech', 'passthrough'],
    ['/v1/audio/transcriptions', 'passthrough'],
    ['/v1/audio/translations', 'passthrough'],
    ['/v1/images/generations', 'passthrough'],
    ['/v1/images/edits', 'passthrough'],
    ['/v1/images/variations', 'passthrough'],
    ['/v1/files', 'passthrough'],
    ['/v1/files/file-1', 'passthrough'],
    ['/v1/files/file-1/content', 'passthrough'],
    ['/v1/batches', 'passthrough'],
    ['/v1/batches/batch-1', 'passthrough'],
    ['/v1/batches/batch-1/cancel', 'passthrough'],
    ['/v1/models', 'passthrough'],
    ['/v1/models/gpt-4o', 'passthrough'],
  ])('%s is %s, with a trailing slash too', (path, protocol) => {
    expect(protocolOfPath(path)).toBe(protocol);
    expect(protocolOfPath(`${path}/`)).toBe(protocol);
    expect(protocolOfPath(`/ai/tenant-1${path}`)).toBe(protocol);
  });

  it.each([
    '/',
    '',
    '/ai',
    '/chat',
    '/messages',
    '/v2/messages',
    '/xv1/messages',
    '/v1/threads/t-1/messages',
    '/v1/chat/completionsx',
    '/xresponses',
    '/myembeddings',
    '/v1/chat/completions/chatcmpl-1',
    '/reconverse',
    '/profiles',
    '/submodels/x',
  ])('%s decides nothing', (path) => {
    expect(protocolOfPath(path)).toBeUndefined();
  });
});

describe('on any other path the body', () => {
  it.each([
    ['{"messages":[]}', 'openai-chat'],
    ['{"input":"x","messages":[]}', 'openai-chat'],
    ['{"input":"x"}', 'openai-embeddings'],
    ['{"messages":null}', 'openai-chat'],
    ['{"prompt":"x"}', 'passthrough'],
    ['{"a":{"messages":[],"input":1}}', 'passthrough'],
    ['{}', 'passthrough'],
  ])('%s is %s', (body, protocol) => {
    expect(protocolOfBody(scanDocument(Buffer.from(body)))).toBe(protocol);
  });
});

describe('a request', () => {
  const chat = '{"messages":[]}';
  const text = '{"input":"x"}';

  it.each([
    ['/ai/v1/chat/completions', text, 'POST /v1/chat/completions'],
    ['/ai/v1/chat/completions/?a=/v1/embeddings', text, 'POST /v1/chat/completions'],
    ['/ai/v1/responses', chat, 'POST /v1/responses'],
    ['/ai/v1/embeddings', chat, 'POST /v1/embeddings'],
    ['/ai/v1/models/m', chat, 'POST /v1/models/m'],
    ['/ai', chat, 'POST /v1/chat/completions'],
    ['/ai/x?path=/v1/embeddings', chat, 'POST /v1/chat/completions'],
    ['/ai/x/y', text, 'POST /v1/embeddings'],
    ['/ai/x/y?z=1', '{"prompt":"x"}', 'POST /x/y?z=1'],
  ])('to %s with %s goes out as %s', async (path, body, sent) => {
    const { app, upstream } = await startGateway({}, { mount: '/ai' });
    expect((await post(app.url + path, body)).status).toBe(200);
    const [call] = upstream.calls;
    expect(`${call?.method} ${call?.url}`).toBe(sent);
  });

  it('is known by its path above the mount point as well', async () => {
    const upstream = await startUpstream(echoModel());
    const app = await startApp(
      { instances: [instance('claude', upstream.url, { provider: 'anthropic' })] },
      { mount: '/v1/messages' },
    );
    expect((await post(`${app.url}/v1/messages`)).status).toBe(200);
    expect(upstream.calls[0]?.url).toBe('/v1/messages');
  });

  it('in absolute form is known by its path', async () => {
    const { app, upstream } = await startGateway();
    const target = 'http://elsewhere.test/v1/embeddings';
    const answer = await sendRaw(app.port, `POST ${target}`, [`Content-Length: ${chat.length}`], chat);
    expect(answer.status).toBe(200);
    expect(upstream.calls[0]?.url).toBe('/v1/embeddings');
  });

  it.each([
    ['/v1/messages', 'anthropic-messages'],
    ['/model/m/converse', 'bedrock-converse'],
  ])('to %s is a 400 that names the protocols there are, when no instance speaks %s', async (path, name) => {
    const { app, upstream } = await startGateway();
    const response = await post(app.url + path);
    const body = await response.clone().text();
    expect(await refusalOf(response)).toEqual({ status: 400, code: 'protocol_not_supported' });
    for (const word of [name, 'openai-chat', 'openai-responses', 'openai-embeddings'])
      expect(body).toContain(word);
    expect(upstream.calls).toEqual([]);
  });

  it('passes over instances that lack its protocol', async () => {
    const [openai, claude] = [await startUpstream(echoModel()), await startUpstream(echoModel())];
    const app = await startApp({
      instances: [
        instance('openai', openai.url, { priority: 1 }),
        instance('claude', claude.url, { provider: 'anthropic' }),
      ],
    });
    expect((await post(`${app.url}/v1/messages`)).status).toBe(200);
    expect([openai.calls.length, claude.calls.length]).toEqual([0, 1]);
    expect(app.finished[0]?.llm_attempts).toMatchObject([
      { instance: 'openai', skipped: 'protocol_not_supported' },
      { instance: 'claude', status: 200 },
    ]);
  });
});
