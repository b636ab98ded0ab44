/** What the client asks for; the gateway under test replaces it by `INSTANCE_MODEL`. */
export const CLIENT_MODEL = 'gpt-4o';

const QUESTION =
  'Which three rivers meet in Passau, and which of them carries the most water? One sentence, please.';

// An escape every fifty bytes: paragraphs, a list, somebody quoted.
const PROSE = `The estimate was wrong, and we both knew it; nobody answered, and outside the rain went on.
"So we measure again," she said, "on Tuesday, with the doors shut and the heating off."
- first batch: as before, 20 samples
- second batch: 42 % of the samples, each of them measured twice
`;

const CJK_PROSE = `「見積もりは間違っていた」と彼は言った。誰も答えなかった。雨は降り続いた。
火曜日にもう一度測ることにしよう、扉を閉めて。第二ロットの四十二パーセントについても同様である。
`;

interface Message {
  role: 'system' | 'user' | 'assistant';
  content: unknown;
}

function encode(messages: readonly Message[], extra: object = {}): Buffer {
  return Buffer.from(JSON.stringify({ model: CLIENT_MODEL, messages, temperature: 0.7, ...extra }));
}

const SYSTEM: Message = { role: 'system', content: 'You are a helpful assistant.' };

/** About 250 bytes: one question. */
export const smallRequest = encode([SYSTEM, { role: 'user', content: QUESTION }], { max_tokens: 256 });

/** The same question, streamed; `usage` asks for the usage-only chunk at the end. */
export function streamRequest(usage: boolean): Buffer {
  const streaming = usage ? { stream: true, stream_options: { include_usage: true } } : { stream: true };
  return encode([SYSTEM, { role: 'user', content: QUESTION }], streaming);
}

/** A long conversation: messages of about 1 KB until the body has about `bytes` bytes. */
export function conversation(bytes: number, prose = PROSE): Buffer {
  const content = prose.repeat(Math.ceil(1024 / Buffer.byteLength(prose)));
  const messages: Message[] = [SYSTEM];
  const each = Buffer.byteLength(JSON.stringify({ role: 'assistant', content })) + 1;
  for (let size = 0; size + each <= bytes; size += each) {
    messages.push({ role: messages.length % 2 === 1 ? 'user' : 'assistant', content });
  }
  return encode(messages);
}

/** Three bytes a character, as from Node, Go or `ensure_ascii=False`. */
export const cjkConversation = (bytes: number): Buffer => conversation(bytes, CJK_PROSE);

/** One question about one inline image, which is nearly all of the body. */
export function imageRequest(bytes: number): Buffer {
  // Bytes of no period that V8 or the kernel could profit from; a picture does not compress either.
  const pixels = Buffer.from(
    Array.from({ length: Math.floor((bytes * 3) / 4) }, (_, i) => (i * i * 31 + (i >> 3)) % 251),
  );
  const url = `data:image/png;base64,${pixels.toString('base64')}`;
  const question = { type: 'text', text: 'What is in this image?' };
  return encode([SYSTEM, { role: 'user', content: [question, { type: 'image_url', image_url: { url } }] }]);
}
