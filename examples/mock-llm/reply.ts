import { readPath } from '../read-path.ts';

/** A text in the pieces a stream sends. The mock counts a piece as a token. */
export interface Reply {
  pieces: string[];
  text: string;
  /** True when the caller's token limit ended it. */
  isCut: boolean;
}

const newton =
  "Newton's laws of motion are three statements that describe how a body moves under the forces that act on it, " +
  'and they are the foundation of classical mechanics. The first law, the law of inertia, says that a body at ' +
  'rest stays at rest, and a body in motion keeps its speed and its direction, unless a force acts on it. The ' +
  'second law says that the acceleration of a body is proportional to the net force on it and inversely ' +
  'proportional to its mass, which is usually written as F = ma. The third law says that whenever one body ' +
  'exerts a force on a second one, the second exerts a force on the first that is equal in size and opposite in ' +
  'direction. Together they explain why a thrown ball follows a curve, why a loaded cart is harder to stop than ' +
  'an empty one, and why a rocket rises although there is nothing below it to push against. They hold well ' +
  'at everyday sizes and speeds. Very fast bodies need the theory of relativity, very small ones need quantum ' +
  'mechanics.';

const answers: readonly (readonly [RegExp, string])[] = [
  [/1\s*\+\s*1/, '1+1 equals 2.'],
  [/explain|newton/i, newton],
  [/weather/i, 'It is 18 degrees and partly cloudy in Paris.'],
];

/** Splits before each run of white space, so that the pieces join to the very same text. */
function split(text: string): string[] {
  return text.match(/\s*\S+/g) ?? [];
}

export function countTokens(text: string): number {
  return split(text).length;
}

/** The mock's answer to a question: always the same one, cut off after `maxTokens` pieces. */
export function composeReply(question: string, maxTokens: unknown): Reply {
  const text = answers.find(([asked]) => asked.test(question))?.[1] ?? 'Hello! How can I help you today?';
  const all = split(text);
  const limit = typeof maxTokens === 'number' ? maxTokens : all.length;
  const pieces = all.slice(0, limit);
  return { pieces, text: pieces.join(''), isCut: pieces.length < all.length };
}

/** The text of a message's `content`: a string, or a list of parts of which some have a `text`. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => textOf(readPath(part, 'text') ?? readPath(part, 'content'))).join(' ');
}

/** A conversation reduced to what the mock looks at. */
export interface Conversation {
  lastUserText: string;
  /** True when the user spoke last, and not a tool that was called for him. */
  isUsersTurn: boolean;
  promptTokens: number;
}

/** OpenAI's own rule of thumb is four tokens of framing a message, and three more for the answer's start. */
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_ANSWER = 3;

export function readConversation(messages: readonly unknown[]): Conversation {
  const users = messages.filter((message) => readPath(message, 'role') === 'user');
  const words = messages.map((message) => countTokens(textOf(readPath(message, 'content'))));
  const last = messages.at(-1);
  return {
    // A tool's result comes as its own role from OpenAI's clients, as a user's part from Anthropic's.
    isUsersTurn: users.at(-1) === last && !hasToolResult(last),
    lastUserText: users.map((message) => textOf(readPath(message, 'content'))).findLast((text) => text) ?? '',
    promptTokens: words.reduce((sum, count) => sum + count + TOKENS_PER_MESSAGE, TOKENS_PER_ANSWER),
  };
}

function hasToolResult(message: unknown): boolean {
  const content = readPath(message, 'content');
  return Array.isArray(content) && content.some((part) => readPath(part, 'type') === 'tool_result');
}

/** The call the mock makes when it is asked about the weather: the tool's first parameter is Paris. */
export function composeToolArguments(parameters: unknown): string {
  const properties = readPath(parameters, 'properties');
  const [name] = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  return JSON.stringify(name === undefined ? {} : { [name]: 'Paris' });
}

/** `gpt-4` is an alias that OpenAI resolves in its answers; other names come back as they were asked for. */
export function answeringModel(model: string): string {
  return model === 'gpt-4' ? 'gpt-4-0613' : model;
}
