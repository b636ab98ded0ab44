const ENVIRONMENT_REFERENCE = /\$env:\/\/([a-z_][a-z0-9_]*)?((?:\/[a-z0-9_.-]+)*)/gi;

/** The text with its references filled in, or what is wrong with each of them (names only, never values). */
export type ResolvedText = { readonly text: string } | { readonly problems: readonly string[] };

/** The environment to look names up in, in the shape of `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Marks a reference that cannot be filled in. Its message names the reference and never shows a value. */
class UnresolvedReference extends Error {}

function readField(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

function parseVariable(name: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    // The parser's own message quotes what it read, which here is a secret.
    throw new UnresolvedReference(`the environment variable ${name} does not hold JSON`);
  }
}

function walk(name: string, content: string, path: string): string {
  const found = path.slice(1).split('/').reduce(readField, parseVariable(name, content));
  if (typeof found === 'string') return found;
  if (typeof found === 'number') return String(found);
  throw new UnresolvedReference(`the environment variable ${name} holds no string or number at ${path}`);
}

function readVariable(environment: Environment, name: string | undefined, path: string): string {
  if (name === undefined) throw new UnresolvedReference('$env:// is not followed by the name of a variable');
  const content = Object.hasOwn(environment, name) ? environment[name] : undefined;
  if (content === undefined) throw new UnresolvedReference(`the environment variable ${name} is not set`);
  return path === '' ? content : walk(name, content, path);
}

/**
 * Fills in every `$env://NAME` and `$env://NAME/json/key` of a text, once: what a variable holds is not
 * searched again. Throws nothing; what cannot be resolved comes back as `problems`.
 */
export function resolveEnvironment(text: string, environment: Environment = process.env): ResolvedText {
  const problems: string[] = [];
  const filled = text.replace(ENVIRONMENT_REFERENCE, (_reference, name: string | undefined, path: string) => {
    try {
      return readVariable(environment, name, path);
    } catch (error) {
      if (!(error instanceof UnresolvedReference)) throw error;
      problems.push(error.message);
      return '';
    }
  });
  return problems.length > 0 ? { problems } : { text: filled };
}
