import { randomUUID } from 'node:crypto';
import { llmVariables, registerMorganTokens } from 'ai-proxy-multi';
import morgan from 'morgan';
import { expect, it } from 'vitest';
import { type AppOptions, post } from '../support/app.ts';
import { mathematician, startLlm } from './llm.ts';
import { startSeed } from './seed.ts';

registerMorganTokens(morgan);
morgan.token('request-id', () => randomUUID().replaceAll('-', ''));

/**
 * The page's access_log_format in morgan's words. nginx's variables about its upstream, all `-` in the page's own
 * line, have no token there.
 */
const format = [
  ':remote-addr - :remote-user [:date[clf]] :req[host] ":method :url HTTP/:http-version" :status',
  ':res[content-length] :total-time ":referrer" ":user-agent" - - - "-" ":request-id"',
  '":request_type" ":llm_time_to_first_token" ":llm_model" ":llm_prompt_tokens" ":llm_completion_tokens"',
].join(' ');

/** The page's route, its log, and what the six variables of the page were when the response had finished. */
async function startLogged(instance: string, model: string, options: AppOptions = {}) {
  const llm = await startLlm(model);
  const origins = { 'openai-instance': llm.url, 'deepseek-instance': llm.url };
  const variables: Record<string, unknown>[] = [];
  let write: (line: string) => void = () => {};
  const line = new Promise<string>((resolve) => {
    write = resolve;
  });
  const app = await startSeed(instance, origins, {
    ...options,
    mount: '/anything',
    before(express) {
      express.use(morgan(format, { stream: { write: (text) => write(text) } }));
      express.use((_req, res, next) => {
        res.on('finish', () => variables.push(llmVariables(res)));
        next();
      });
    },
  });
  return { url: `${app.url}/anything`, line, variables };
}

it('writes the line of the page: "ai_chat", the time, "gpt-4", "23", "8"', async () => {
  const { url, line } = await startLogged('003-load-balance', 'gpt-4-0613');
  await post(url, mathematician);
  expect((await line).trimEnd()).toMatch(
    /^127\.0\.0\.1 - - \[[^\]]+\] 127\.0\.0\.1:\d+ "POST \/anything HTTP\/1\.1" 200 \d+ [\d.]+ "-" "[^"]+" - - - "-" "[0-9a-f]{32}" "ai_chat" "\d+" "gpt-4" "23" "8"$/,
  );
});

it('says ai_stream of a stream, with its tokens', async () => {
  const { url, line } = await startLogged('003-load-balance', 'gpt-4-0613');
  await (await post(url, { ...mathematician, stream: true })).text();
  expect((await line).trimEnd()).toMatch(/ "ai_stream" "\d+" "gpt-4" "23" "8"$/);
});

it('has the values of the page in the five variables it lists, and the model the client asked for', async () => {
  const { url, line, variables } = await startLogged('003-load-balance', 'gpt-4-0613');
  await post(url, { ...mathematician, model: 'whatever' });
  await line;
  expect(variables[0]).toMatchObject({
    request_type: 'ai_chat',
    request_llm_model: 'whatever',
    llm_time_to_first_token: expect.any(Number),
    llm_model: 'gpt-4',
    llm_prompt_tokens: 23,
    llm_completion_tokens: 8,
  });
});

it('says traditional_http of a request that was none of the gateway', async () => {
  const { url, variables, line } = await startLogged('003-load-balance', 'gpt-4-0613', {
    after: (app) => app.get('/health', (_req, res) => void res.send('ok')),
  });
  await fetch(url.replace('/anything', '/health'));
  expect((await line).trimEnd()).toMatch(/ "traditional_http" "0" "-" "0" "0"$/);
  expect(variables[0]).toMatchObject({ request_type: 'traditional_http', llm_model: '' });
});
