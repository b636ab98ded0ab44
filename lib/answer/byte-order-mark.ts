const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** How many bytes of these are a byte-order mark at their start: 3 or 0. */
export function markLength(bytes: Buffer): number {
  return bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
}
