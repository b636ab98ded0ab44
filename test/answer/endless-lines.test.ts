// An upstream that never ends a line, or sends byte by byte, must not fill the gateway's memory: what a reader keeps
// has a limit, and so has what each byte costs.

import { describe, expect, it } from 'vitest';
import { EventReader } from '../../lib/answer/event-reader.ts';
import { PlainReader } from '../../lib/answer/plain-reader.ts';
import { Tally } from '../../lib/answer/tally.ts';
import { protocols } from '../../lib/protocols/index.ts';
import { takesLessThan } from '../support/heap.ts';

const MEGABYTE = 1024 * 1024;
const usageEvent = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n';

function chat(): Tally {
  return new Tally(protocols['openai-chat'], false);
}

describe.each([{ withholds: false }, { withholds: true }])('an endless line (%o)', ({ withholds }) => {
  it('passes through without being kept', async () => {
    const isSmall = await takesLessThan(8 * MEGABYTE, () => {
      const reader = new EventReader(chat(), withholds);
      for (let megabytes = 0; megabytes < 32; megabytes++) reader.push(Buffer.alloc(MEGABYTE, 'x'));
      return reader;
    });
    expect(isSmall).toBe(true);
  });

  it('loses nothing on its way', () => {
    const reader = new EventReader(chat(), withholds);
    let passed = 0;
    for (let count = 0; count < 512; count++) passed += reader.push(Buffer.alloc(10_000, 'x'))?.length ?? 0;
    passed += reader.end()?.length ?? 0;
    expect(passed).toBe(512 * 10_000);
  });

  it('costs little more than its bytes when it comes byte by byte', async () => {
    const source = Buffer.alloc(64 * 1024, 'x');
    const isSmall = await takesLessThan(8 * MEGABYTE, () => {
      const reader = new EventReader(chat(), withholds);
      for (let count = 0; count < MEGABYTE; count++)
        reader.push(source.subarray(count % 999, (count % 999) + 1));
      return reader;
    });
    expect(isSmall).toBe(true);
  });

  it('is followed by events that are read again', () => {
    const tally = chat();
    const reader = new EventReader(tally, withholds);
    reader.push(Buffer.alloc(2 * MEGABYTE, 'x'));
    reader.push(Buffer.from('\n\n'));
    const passed = reader.push(Buffer.from(usageEvent));
    expect([tally.usage?.totalTokens, passed?.toString()]).toEqual([5, withholds ? undefined : usageEvent]);
  });
});

describe('a plain answer of many megabytes', () => {
  const tail = '"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}';

  it.each([16, 1000, 65_536])('is read in pieces of %i bytes without being kept', async (size) => {
    let tally = chat();
    let reader = new PlainReader(tally);
    const pieces = Math.ceil((4.25 * MEGABYTE) / size);
    const source = Buffer.alloc(size, 'x');
    const isSmall = await takesLessThan(MEGABYTE, () => {
      tally = chat();
      reader = new PlainReader(tally);
      reader.push(Buffer.from('{"data":"'));
      for (let count = 0; count < pieces; count++) reader.push(source.subarray());
      reader.push(Buffer.from('",'));
      return reader;
    });
    reader.push(Buffer.from(tail));
    reader.end();
    expect(tally.usage?.totalTokens).toBe(5);
    expect(isSmall).toBe(true);
  });

  it('costs little more than its bytes while it is still kept whole', async () => {
    const source = Buffer.alloc(1, 'x');
    const isSmall = await takesLessThan(16 * MEGABYTE, () => {
      const reader = new PlainReader(chat());
      for (let count = 0; count < 2 * MEGABYTE; count++) reader.push(source.subarray());
      return reader;
    });
    expect(isSmall).toBe(true);
  });
});
