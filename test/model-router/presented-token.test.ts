import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { presentedToken } from '../../lib/model-router/presented-token.ts';

describe('the token a request comes with', () => {
  it.each<[string, IncomingHttpHeaders, string | undefined]>([
    ['of Authorization: Bearer', { authorization: 'Bearer sk-1' }, 'sk-1'],
    ['of a scheme in lower case', { authorization: 'bearer sk-1' }, 'sk-1'],
    ['of a scheme in upper case', { authorization: 'BEARER sk-1' }, 'sk-1'],
    ['after several spaces', { authorization: 'Bearer    sk-1' }, 'sk-1'],
    ['with spaces inside, as a whole', { authorization: 'Bearer sk 1' }, 'sk 1'],
    ['of x-api-key', { 'x-api-key': 'sk-2' }, 'sk-2'],
    ['of Authorization ahead of x-api-key', { authorization: 'Bearer sk-1', 'x-api-key': 'sk-2' }, 'sk-1'],
    ['of x-api-key beside another scheme', { authorization: 'Basic YTpi', 'x-api-key': 'sk-2' }, 'sk-2'],
    ['of x-api-key beside an empty Bearer', { authorization: 'Bearer ', 'x-api-key': 'sk-2' }, 'sk-2'],
    ['nowhere', {}, undefined],
    ['not of another scheme', { authorization: 'Basic YTpi' }, undefined],
    ['not of a scheme that only begins so', { authorization: 'Bearers sk-1' }, undefined],
    ['not without a space after the scheme', { authorization: 'Bearersk-1' }, undefined],
    ['not with a tab for a space', { authorization: 'Bearer\tsk-1' }, undefined],
    ['not without a scheme', { authorization: 'sk-1' }, undefined],
    ['not of the scheme alone', { authorization: 'Bearer' }, undefined],
    ['not of the scheme and spaces', { authorization: 'Bearer    ' }, undefined],
    ['not of an empty Authorization', { authorization: '' }, undefined],
    ['not of an empty x-api-key', { 'x-api-key': '' }, undefined],
  ])('is found %s', (_title, headers, expected) => {
    expect(presentedToken(headers)).toBe(expected);
  });
});
