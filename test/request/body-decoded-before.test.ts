import { describe, expect, it } from 'vitest';
import { post } from '../support/app.ts';
import { refusalOf, sendRaw, startGateway } from '../support/gateway.ts';

const LIMIT = 1000;

function inChunks(body: Buffer, bytes: number): string {
  const chunks: string[] = [];
  for (let start = 0; start < body.length; start += bytes) {
    const chunk = body.subarray(start, start + bytes);
    chunks.push(`${chunk.length.toString(16)}\r\n${chunk.toString('latin1')}\r\n`);
  }
  return `${chunks.join('')}0\r\n\r\n`;
}

/** A gateway behind something that has called `setEncoding`, and has read nothing. */
function behind(encoding: BufferEncoding) {
  return startGateway(
    { max_req_body_size: LIMIT },
    {
      before: (app) =>
        app.use((req, _res, next) => {
          req.setEncoding(encoding);
          next();
        }),
    },
  );
}

describe('a body that comes as strings, because something in front has set an encoding', () => {
  it.each(['utf8', 'latin1', 'hex', 'base64'] as const)('is taken byte for byte: %s', async (encoding) => {
    const { app, upstream } = await behind(encoding);
    const body = '{"messages":[],"x":"é語😀"}';
    for (const bytes of [1, 7, 1000]) {
      const chunks = inChunks(Buffer.from(body), bytes);
      const { status } = await sendRaw(app.port, 'POST /', ['Transfer-Encoding: chunked'], chunks);
      expect(status).toBe(200);
    }
    const sent = body.replace(/}$/, ',"model":"model-one"}');
    expect(upstream.calls.map((call) => call.body)).toEqual([sent, sent, sent]);
  });

  it('is measured in bytes, not in characters', async () => {
    const { app, upstream } = await behind('utf8');
    const body = Buffer.from(JSON.stringify({ messages: [], x: '語'.repeat(LIMIT / 2) }));
    const answer = await sendRaw(app.port, 'POST /', ['Transfer-Encoding: chunked'], inChunks(body, 100));
    expect(answer).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(upstream.calls).toEqual([]);
  });

  it('and is malformed, is a 400', async () => {
    const { app } = await behind('utf8');
    expect(await refusalOf(await post(app.url, '{"messages":'))).toEqual({
      status: 400,
      code: 'invalid_json',
    });
  });
});
