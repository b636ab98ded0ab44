/**
 * What stands at `path` in parsed JSON, or `undefined` where there is no such place. It stays `unknown`: the
 * body of a request or an answer is whatever the other side sent, and the reader has to look.
 *
 * @example readPath(answer, 'choices', 0, 'message', 'content')
 */
export function readPath(json: unknown, ...path: (string | number)[]): unknown {
  let here = json;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = Reflect.get(here, key);
  }
  return here;
}
