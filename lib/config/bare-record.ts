/** A copy without a prototype, so that no name in it reaches one. */
export function bareRecord(record: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.assign(Object.create(null), record);
}
