function isSpaceOrColon(byte: number): boolean {
  return byte === 0x20 || byte === 0x3a || byte === 0x09;
}

/** Where a token stands with a value that says something: many servers send `null` or `[]` in every event. */
export function findToken(bytes: Buffer, token: string | Buffer, from: number): number {
  for (let at = bytes.indexOf(token, from); at !== -1; at = bytes.indexOf(token, at + 1)) {
    let value = at + token.length;
    while (isSpaceOrColon(bytes[value] ?? 0)) value++;
    const first = bytes[value];
    const isNull = first === 0x6e;
    const isEmptyList = first === 0x5b && bytes[value + 1] === 0x5d;
    if (!isNull && !isEmptyList) return at;
  }
  return -1;
}
