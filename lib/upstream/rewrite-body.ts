import type { LoadedInstance } from '../config/loaded-config.ts';
import { isObject, type JsonObject } from '../protocols/json.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Provider } from '../providers/provider.ts';
import { findMember, type JsonDocument, readMember, readSmallMember } from '../request/json-document.ts';
import { type Edit, editDocument, removeMember, setMember } from './edit-document.ts';

/** What one instance does to bodies of one protocol. */
export interface BodyRules {
  /** `options` and the length limit: written over what the client sent. */
  readonly overwrites: ReadonlyMap<string, unknown>;
  /** Members the provider would refuse, or that contradict an overwrite. */
  readonly removals: ReadonlySet<string>;
  /** `override.request_body` for this protocol. */
  readonly merge: JsonObject;
  /** Whether `merge` wins over values that are already there. */
  readonly mergeWins: boolean;
  /** Overwrites and removals, ready to be made: all there is to do unless `merge` says more. */
  readonly edits: readonly Edit[];
  /** Further edits, which depend on what the body holds; they win over the others. */
  readonly adjust?: (document: JsonDocument) => readonly Edit[];
}

export interface RewrittenBody {
  /** They follow each other. */
  readonly pieces: readonly Buffer[];
  /** Whether the body asks for an event stream. */
  readonly streams: boolean;
}

/** Compiles what an instance's configuration asks of bodies in one protocol. */
export function bodyRules(instance: LoadedInstance, provider: Provider, protocol: Protocol): BodyRules {
  const overwrites = new Map(Object.entries(instance.options));
  const removals = new Set(provider.dropsMembers);
  const limit = provider.outputLimits[protocol.name];
  if (limit !== undefined && instance.maxTokens !== undefined) {
    overwrites.set(limit.field, instance.maxTokens);
    for (const rival of limit.rivals) removals.add(rival);
  }
  for (const name of removals) overwrites.delete(name);
  return {
    overwrites,
    removals,
    merge: instance.requestBody[protocol.name] ?? {},
    mergeWins: instance.forceRequestBody,
    edits: [
      ...[...overwrites].map(([key, value]) => setMember(key, value)),
      ...[...removals].map((key) => removeMember(key)),
    ],
  };
}

/** The very same value where the patch has nothing to change in it. */
function mergeValue(current: unknown, patch: unknown, patchWins: boolean): unknown {
  if (!isObject(current) || !isObject(patch)) {
    return current === undefined || patchWins ? patch : current;
  }
  const changes: [string, unknown][] = [];
  for (const [key, value] of Object.entries(patch)) {
    const before = Object.hasOwn(current, key) ? current[key] : undefined;
    const after = mergeValue(before, value, patchWins);
    if (after !== before) changes.push([key, after]);
  }
  return changes.length === 0 ? current : { ...current, ...Object.fromEntries(changes) };
}

/** Keeps one edit per member: the later one. */
function withEdit(edits: readonly Edit[], added: Edit): readonly Edit[] {
  return [...edits.filter((edit) => edit.key !== added.key), added];
}

function mergeEdits(
  document: JsonDocument,
  rules: BodyRules,
  currentValue: (key: string) => unknown,
): readonly Edit[] {
  let { edits } = rules;
  for (const [key, patch] of Object.entries(rules.merge)) {
    if (rules.removals.has(key)) continue;
    const present = rules.overwrites.has(key) || findMember(document, key) !== undefined;
    if (present && !rules.mergeWins && !isObject(patch)) continue;
    const current = currentValue(key);
    const merged = mergeValue(current, patch, rules.mergeWins);
    // Written again, it would lose white space, and digits of numbers too long for JavaScript.
    if (merged !== current) edits = withEdit(edits, setMember(key, merged));
  }
  return edits;
}

/** Asks for usage in a stream, which chat reports only then, and keeps whatever else `stream_options` says. */
function usageEdit(streamOptions: unknown): Edit | undefined {
  if (isObject(streamOptions) && streamOptions.include_usage === true) return undefined;
  const options = isObject(streamOptions) ? streamOptions : {};
  return setMember('stream_options', { ...options, include_usage: true });
}

/**
 * The body as one instance gets it. Starts from the client's document each time, so that nothing of an instance
 * that failed reaches the next; a body that nothing changes is the client's own buffer.
 */
export function rewriteBody(document: JsonDocument, rules: BodyRules, protocol: Protocol): RewrittenBody {
  const edited = (key: string, edits: readonly Edit[], read = readSmallMember): unknown => {
    const edit = edits.find((candidate) => candidate.key === key);
    if (edit === undefined) return read(document, key);
    return edit.value === undefined ? undefined : JSON.parse(edit.value.toString());
  };
  let edits = mergeEdits(document, rules, (key) => edited(key, rules.edits, readMember));
  if (rules.adjust !== undefined) for (const edit of rules.adjust(document)) edits = withEdit(edits, edit);
  const streams = protocol.streams && edited('stream', edits) === true;
  if (protocol.usageOnRequest) {
    if (streams) {
      const usage = usageEdit(edited('stream_options', edits));
      if (usage !== undefined) edits = withEdit(edits, usage);
    } else if (edits.some((edit) => edit.key === 'stream')) {
      // The configuration switched streaming off: its options, left behind, are an error to OpenAI.
      edits = withEdit(edits, removeMember('stream_options'));
    }
  }
  return { pieces: editDocument(document, edits), streams };
}
