import { isObject } from '../../lib/protocols/json.ts';
import { post } from '../support/app.ts';
import type { Call, Script } from '../support/upstream.ts';
import { answerJson, chatAnswer } from '../support/upstream.ts';

/** The model that an upstream was asked for, or that an answer says it came from. */
export function modelIn(text: string): string {
  const json: unknown = JSON.parse(text);
  return isObject(json) && typeof json.model === 'string' ? json.model : '';
}

/** Who answers a chat: the instance's name, where it is configured for `model-{name}`; else the status. */
export async function askWho(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await post(url, undefined, { headers });
  const text = await response.text();
  return response.ok ? modelIn(text).replace('model-', '') : String(response.status);
}

/** Who answers each of so many chats, one after another. */
export async function askInTurn(url: string, count: number): Promise<string[]> {
  const answers: string[] = [];
  for (let index = 0; index < count; index++) answers.push(await askWho(url));
  return answers;
}

export function countOf(names: readonly string[], name: string): number {
  return names.filter((candidate) => candidate === name).length;
}

/** A script that answers 503 for the models in `down`, and else as the model that is asked for. */
export function failFor(down: ReadonlySet<string>, status = 503): Script {
  return (call: Call, res) => {
    const model = modelIn(call.body);
    if (down.has(model)) answerJson(res, status, { error: { message: 'down' } });
    else answerJson(res, 200, chatAnswer(model));
  };
}
