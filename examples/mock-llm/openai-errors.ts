import { type Answer, json, type ServerSentEvent } from './answer.ts';

const types: Readonly<Record<number, readonly [type: string, code: string | null]>> = {
  401: ['invalid_request_error', 'invalid_api_key'],
  404: ['invalid_request_error', 'unknown_url'],
  429: ['requests', 'rate_limit_exceeded'],
  500: ['server_error', null],
  503: ['server_error', null],
};

/** A refusal as OpenAI words it. A 429 asks to wait a second. */
export function openaiRefusal(status: number, message: string, param: string | null = null): Answer {
  const [type, code] = types[status] ?? ['invalid_request_error', null];
  const headers: Record<string, string> = status === 429 ? { 'retry-after': '1' } : {};
  return json(status, { error: { message, type, param, code } }, headers);
}

export const openaiErrorEvent: ServerSentEvent = {
  data: {
    error: {
      message: 'The server is currently overloaded with other requests.',
      type: 'server_error',
      param: null,
      code: null,
    },
  },
};

/** The body's model, the deployment in an Azure path, or nothing. */
export function requestedModel(model: unknown, url: URL): string | undefined {
  if (typeof model === 'string' && model !== '') return model;
  return /\/deployments\/([^/]+)\//.exec(url.pathname)?.[1];
}

export const noModel = openaiRefusal(400, 'you must provide a model parameter');
