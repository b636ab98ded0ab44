/** A malformed escape stands for itself. Bytes need not be UTF-8: none may keep a path from being recognised. */
function decodeBytes(path: string): string {
  return path.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * A path as nginx compares it: decoded, one character per byte, without `//`, `/./` and `/../`. Otherwise `/v1//chat`
 * would get around what is configured for `/v1/chat`, while the LLM's server takes both for the same.
 *
 * @returns `undefined` where the path leads above the root
 */
export function resolvePath(path: string): string | undefined {
  const decoded = path.includes('%') ? decodeBytes(path) : path;
  if (!/\/[./]/.test(decoded)) return decoded;
  const resolved: string[] = [];
  const segments = decoded.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    if (segment === '..' && resolved.pop() === undefined) return undefined;
    const isName = segment !== '' && segment !== '.' && segment !== '..';
    if (isName) resolved.push(segment);
    else if (index === segments.length - 1) resolved.push('');
  }
  return `/${resolved.join('/')}`;
}
