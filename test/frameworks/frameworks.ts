import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { aiProxyMulti, type Host } from 'ai-proxy-multi';
import connect from 'connect';
import express from 'express';
import { onTestFinished } from 'vitest';
import { serve } from '../support/app.ts';

export type Next = (error?: unknown) => void;

interface Middleware {
  // As a method, since it may also be one that asks for more than it is sure to get: Express's own request.
  handle(req: IncomingMessage, res: ServerResponse, next: Next): unknown;
}
export type Handler = Middleware['handle'];
export type ErrorHandler = (error: unknown, req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** What stands around the gateway in an application. */
export interface Surroundings {
  readonly before?: readonly Handler[];
  readonly after?: readonly Handler[];
}

/** What the frameworks have in common. */
interface Stack {
  use(handler: Handler): void;
  mount(path: string, handler: Handler): void;
  useErrors(handler: ErrorHandler): void;
  readonly listener: (req: IncomingMessage, res: ServerResponse) => unknown;
}

export interface Framework {
  readonly makeStack: () => Stack;
}

// Express 4 has no types of its own here; what the tests use of it has not changed.
const express4: typeof express = createRequire(import.meta.url)('express4');

function expressStack(makeApp: typeof express): Stack {
  const app = makeApp();
  return {
    use: (handler) => app.use(handler),
    mount: (path, handler) => app.use(path, handler),
    useErrors: (handler) => app.use(handler),
    listener: app,
  };
}

function connectStack(): Stack {
  const app = connect();
  return {
    use: (handler) => app.use(handler),
    mount: (path, handler) => app.use(path, handler),
    useErrors: (handler) => app.use(handler),
    listener: app,
  };
}

export const expresses = [
  { name: 'Express 5', express, makeStack: () => expressStack(express) },
  { name: 'Express 4', express: express4, makeStack: () => expressStack(express4) },
] as const;

export const frameworks = [...expresses, { name: 'Connect', makeStack: connectStack }] as const;

export interface Served {
  readonly url: string;
  readonly port: number;
  /** What reached the application's error middleware. */
  readonly errors: readonly unknown[];
  /** Requests that went past the gateway. */
  readonly passedOn: readonly string[];
}

/** A gateway, closed when the test ends. */
export function makeGateway(
  config: Parameters<typeof aiProxyMulti>[0],
  host: Host = {},
): ReturnType<typeof aiProxyMulti> {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const gateway = aiProxyMulti(config, { logger: quiet, ...host });
  onTestFinished(() => gateway.close());
  return gateway;
}

/** Serves an application with the gateway mounted on `/ai`, and error middleware behind it that answers 599. */
export async function serveIn(
  framework: Framework,
  gateway: Handler,
  { before = [], after = [] }: Surroundings = {},
): Promise<Served> {
  const errors: unknown[] = [];
  const passedOn: string[] = [];
  const stack = framework.makeStack();
  for (const handler of before) stack.use(handler);
  stack.mount('/ai', gateway);
  stack.use((req, _res, next) => {
    passedOn.push(req.url ?? '');
    next();
  });
  for (const handler of after) stack.use(handler);
  stack.useErrors((error, _req, res, _next) => {
    errors.push(error);
    res.statusCode = 599;
    res.end('an error of the application');
  });
  const { url, port } = await serve(stack.listener);
  return { url, port, errors, passedOn };
}
