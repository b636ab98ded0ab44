import type { LoadedBackgroundCheck } from '../config/loaded-model-router.ts';
import type { BackgroundProbe } from '../health/ask-probe.ts';
import type { Instance } from '../plan.ts';
import { protocols } from '../protocols/index.ts';
import { scanDocument } from '../request/json-document.ts';
import { requestHeaders } from '../upstream/request-headers.ts';
import { requestPath } from '../upstream/request-path.ts';
import { rewriteBody } from '../upstream/rewrite-body.ts';
import type { UpstreamRequest } from '../upstream/transport.ts';

const NOTHING_WITHHELD: ReadonlySet<string> = new Set();

function chatBody({ prompt, maxTokens }: LoadedBackgroundCheck): Buffer {
  const messages = [{ role: 'user', content: prompt }];
  return Buffer.from(JSON.stringify({ model: '', messages, max_tokens: maxTokens }));
}

async function probeRequest(instance: Instance, body: Buffer): Promise<UpstreamRequest | undefined> {
  const protocol = protocols['openai-chat'];
  const route = instance.routes.get(protocol.name);
  if (route === undefined) return undefined;
  const credentials = await (route.credentials ?? instance.credentials)();
  const { pieces } = rewriteBody(scanDocument(body), route.rules, protocol);
  const headers = requestHeaders({}, NOTHING_WITHHELD, instance, pieces);
  for (const [name, value] of credentials.headers) headers[name] = value;
  const path = requestPath(route.path, instance.query, undefined, credentials.query);
  return { method: 'POST', path, headers, body: pieces };
}

/** A chat of one message, sent as a caller's would be. What it says is not looked at, and no request's figures change. */
export function backgroundProbe(instance: Instance, rules: LoadedBackgroundCheck): BackgroundProbe {
  const body = chatBody(rules);
  return async (signal) => {
    const request = await probeRequest(instance, body);
    if (request === undefined) return { error: 'PROTOCOL_NOT_SUPPORTED' };
    // It may have been called off while a secret was looked up.
    if (signal.aborted) return { error: 'ABORTED' };
    return new Promise((resolve) => {
      let status = 0;
      const sending = instance.transport.send(request, {
        silenceMs: rules.timeoutMs,
        onHead(head) {
          status = head.status;
        },
        onData() {},
        onEnd: () => resolve({ status }),
        onFailure: ({ kind, detail }) => resolve(kind === 'timed-out' ? { status: 408 } : { error: detail }),
      });
      signal.addEventListener('abort', () => sending.abort());
    });
  };
}
