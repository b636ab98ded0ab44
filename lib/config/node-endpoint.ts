/** `host`, `host:port` or `[address]:port`. */
const HOST_AND_PORT = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i;

/** What a node of an upstream is called from outside, or `undefined` where its address is none. */
export function nodeEndpoint(scheme: 'http' | 'https', address: string): string | undefined {
  const url = `${scheme}://${address}`;
  return HOST_AND_PORT.test(address) && URL.canParse(url) ? url : undefined;
}

/** The `host:port` of a node that has them in two fields. */
export function nodeAddress(host: string, port: number | undefined): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}
