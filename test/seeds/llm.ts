import type { Call, Script } from '../support/upstream.ts';
import {
  answerJson,
  chatAnswer,
  chatEvent,
  doneEvent,
  startUpstream,
  usageEvent,
} from '../support/upstream.ts';

/** The answer that seed 003 prints, less the parts it leaves out. */
export const onePlusOne = {
  ...chatAnswer('gpt-4-0613', '1+1 equals 2.'),
  usage: {
    prompt_tokens: 23,
    completion_tokens: 8,
    total_tokens: 31,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  },
  service_tier: 'default',
  system_fingerprint: null,
};

/** The question that seed 003 sends. */
export const mathematician = {
  messages: [
    { role: 'system', content: 'You are a mathematician' },
    { role: 'user', content: 'What is 1+1?' },
  ],
};

/** An LLM whose behaviour a test can change: until told otherwise it answers as `model`. */
export interface Llm {
  readonly url: string;
  readonly calls: readonly Call[];
  close(): Promise<void>;
  fail(status: number): void;
  recover(): void;
  /** The body of a call, parsed. */
  sent(index?: number): unknown;
}

function answer(call: Call, model: string, res: Parameters<Script>[1]): void {
  if (!/"stream":\s*true/.test(call.body)) {
    answerJson(res, 200, { ...onePlusOne, model });
    return;
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.end([chatEvent('1+1 ', { model }), chatEvent('equals 2.', { model }), usageEvent, doneEvent].join(''));
}

export async function startLlm(model: string): Promise<Llm> {
  let failure: number | undefined;
  const upstream = await startUpstream((call, res) => {
    if (failure !== undefined) answerJson(res, failure, { error: { message: `${model} fails` } });
    else answer(call, model, res);
  });
  return {
    url: upstream.url,
    calls: upstream.calls,
    close: upstream.close,
    fail(status) {
      failure = status;
    },
    recover() {
      failure = undefined;
    },
    sent: (index = 0) => JSON.parse(upstream.calls[index]?.body ?? 'null'),
  };
}
