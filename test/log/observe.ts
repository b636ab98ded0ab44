import type { InstanceConfig } from '../support/app.ts';
import { type App, type AppOptions, instance, startApp } from '../support/app.ts';
import { answerJson, type Script, startUpstream, type Upstream } from '../support/upstream.ts';

type Locals = Readonly<Record<string, unknown>>;

export interface Observed {
  readonly app: App;
  readonly upstream: Upstream;
  /** What stood on `res.locals` when a response finished or was broken off, whichever came first. */
  readonly locals: readonly Locals[];
  /** Resolves with it for the first response. */
  readonly first: Promise<Locals>;
}

export interface ObservedOptions extends AppOptions {
  readonly instance?: Partial<InstanceConfig>;
  readonly config?: Partial<Parameters<typeof startApp>[0]>;
}

/** A gateway whose responses are watched as an access log would, from in front of it. */
export async function observe(
  script: Script,
  { instance: fields = {}, config = {}, before, ...options }: ObservedOptions = {},
): Promise<Observed> {
  const upstream = await startUpstream(script);
  const locals: Locals[] = [];
  let resolve: (first: Locals) => void = () => {};
  const first = new Promise<Locals>((settle) => {
    resolve = settle;
  });
  const app = await startApp(
    { instances: [instance('llm', upstream.url, { options: { model: 'gpt-4o' }, ...fields })], ...config },
    {
      ...options,
      before(express) {
        before?.(express);
        express.use((_req, res, next) => {
          let noted = false;
          const note = (): void => {
            if (noted) return;
            noted = true;
            locals.push({ ...res.locals });
            resolve({ ...res.locals });
          };
          res.on('finish', note);
          res.on('close', note);
          next();
        });
      },
    },
  );
  return { app, upstream, locals, first };
}

export function answerWith(body: unknown, status = 200): Script {
  return (_call, res) => answerJson(res, status, body);
}

export function streamWith(events: string): Script {
  return (_call, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(events);
  };
}
