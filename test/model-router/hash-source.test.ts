import { once } from 'node:events';
import http, { type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import express from 'express';
import { describe, expect, it } from 'vitest';
import type { LoadedCaller, LoadedHashSource } from '../../lib/config/loaded-model-router.ts';
import { readHashKey } from '../../lib/model-router/hash-source.ts';
import { serve } from '../support/app.ts';
import { callerOf } from './caller.ts';

const ADDRESS = '127.0.0.1';

const header = (name: string): LoadedHashSource => ({ type: 'header', name });
const cookie = (name: string): LoadedHashSource => ({ type: 'cookie', name });
const apiKey: LoadedHashSource = { type: 'api_key' };
const clientIp: LoadedHashSource = { type: 'client_ip' };

/** The key of a real request to an Express app. */
async function keyOf(
  sources: readonly LoadedHashSource[],
  headers: OutgoingHttpHeaders = {},
  caller?: LoadedCaller,
): Promise<string> {
  const app = express();
  app.set('trust proxy', true);
  app.use((req, res) => {
    res.send(readHashKey(sources, req, caller));
  });
  const { port } = await serve(app);
  const sent = http.request({ host: ADDRESS, port, headers });
  sent.end();
  const [answer] = await once(sent, 'response');
  return text(answer);
}

describe('hash_on', () => {
  const ann = callerOf('ann');

  it.each<[string, readonly LoadedHashSource[], OutgoingHttpHeaders, string]>([
    ['a header', [header('x-user')], { 'X-User': 'u-1' }, 'u-1'],
    ['a header with an underscore', [header('x_user')], { x_user: 'u-1', 'x-user': 'u-2' }, 'u-1'],
    ['a header that comes twice', [header('x-user')], { 'x-user': ['u-1', 'u-2'] }, 'u-1, u-2'],
    ['a cookie', [cookie('session')], { cookie: 'a=b; session=s-1' }, 's-1'],
    ["the caller's id", [apiKey], {}, 'caller-ann'],
    ["the client's address", [clientIp], {}, ADDRESS],
    [
      "the client's address behind a trusted proxy",
      [clientIp],
      { 'x-forwarded-for': '203.0.113.7' },
      '203.0.113.7',
    ],
    ['the first of two', [header('x-a'), header('x-b')], { 'x-a': '1', 'x-b': '2' }, '1'],
    ['the second where the first is absent', [header('x-a'), header('x-b')], { 'x-b': '2' }, '2'],
    ['the second where the first is empty', [header('x-a'), cookie('b')], { 'x-a': '', cookie: 'b=2' }, '2'],
    ["the caller's id where the header is absent", [header('x-aisix-routing-key'), apiKey], {}, 'caller-ann'],
  ])('takes %s', async (_title, sources, headers, expected) => {
    expect(await keyOf(sources, headers, ann)).toBe(expected);
  });

  it.each<[string, readonly LoadedHashSource[]]>([
    ['nothing is there', [header('x-a'), cookie('b'), apiKey]],
    ['there are no sources', []],
    ['a source has no name', [{ type: 'header' }, { type: 'cookie' }]],
    ['a header is called like a member of every object', [header('constructor'), header('__proto__')]],
  ])("falls back to the client's address where %s", async (_title, sources) => {
    expect(await keyOf(sources)).toBe(ADDRESS);
  });
});
