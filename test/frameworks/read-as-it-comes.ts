/** Reads an answer bit by bit, as a client does that shows every word at once. */
export interface GradualReader {
  /** Everything new, once it holds `text`; rejects when the answer ends before. */
  until(text: string): Promise<string>;
  /** Everything else, when the answer has ended. */
  rest(): Promise<string>;
}

export function readAsItComes(answer: Response): GradualReader {
  const reader = answer.body?.getReader();
  if (reader === undefined) throw new Error('The answer has no body');
  const decoder = new TextDecoder();
  async function next(): Promise<string | undefined> {
    const read = await reader?.read();
    return read?.value === undefined ? undefined : decoder.decode(read.value, { stream: true });
  }
  return {
    async until(text) {
      let received = '';
      while (!received.includes(text)) {
        const more = await next();
        if (more === undefined)
          throw new Error(`The answer ended before ${JSON.stringify(text)}: ${received}`);
        received += more;
      }
      return received;
    },
    async rest() {
      let received = '';
      for (let more = await next(); more !== undefined; more = await next()) received += more;
      return received;
    },
  };
}
