import type { LoadedRequestOverrides } from '../config/loaded-model-router.ts';
import { findMember, type JsonDocument, readSmallMember } from '../request/json-document.ts';
import { type Edit, removeMember, setMember } from '../upstream/edit-document.ts';

/** A member's value as JSON text, after these edits. */
function valueAfter(document: JsonDocument, edits: readonly Edit[], key: string): Buffer | undefined {
  const edit = edits.findLast((candidate) => candidate.key === key);
  if (edit !== undefined) return edit.value;
  const member = findMember(document, key);
  return member && document.bytes.subarray(member.valueStart, member.valueEnd);
}

/** A member that has its new name already keeps that one's value. */
function rename(document: JsonDocument, edits: readonly Edit[], from: string, to: string): readonly Edit[] {
  const value = valueAfter(document, edits, from);
  if (value === undefined) return [];
  if (valueAfter(document, edits, to) !== undefined) return [removeMember(from)];
  return [removeMember(from), { key: to, value }];
}

function clampTemperature(
  document: JsonDocument,
  { temperatureMin, temperatureMax }: LoadedRequestOverrides,
): readonly Edit[] {
  const temperature = readSmallMember(document, 'temperature');
  if (typeof temperature !== 'number') return [];
  const least = temperatureMin ?? Number.NEGATIVE_INFINITY;
  const most = temperatureMax ?? Number.POSITIVE_INFINITY;
  const clamped = Math.min(Math.max(temperature, least), most);
  return clamped === temperature ? [] : [setMember('temperature', clamped)];
}

/**
 * What a provider key changes in a body; `undefined` where that is nothing.
 *
 * @param before the edits that are made in any case
 */
export function bodyAdjuster(
  overrides: LoadedRequestOverrides,
  before: readonly Edit[],
): ((document: JsonDocument) => readonly Edit[]) | undefined {
  const renames = Object.entries(overrides.paramRenames);
  const defaults = Object.entries(overrides.defaultBodyFields).map(([key, value]) => setMember(key, value));
  const clamps = overrides.temperatureMin !== undefined || overrides.temperatureMax !== undefined;
  if (renames.length === 0 && defaults.length === 0 && !clamps) return undefined;
  return (document) => {
    const edits = [
      ...defaults.filter(({ key }) => valueAfter(document, before, key) === undefined),
      ...(clamps ? clampTemperature(document, overrides) : []),
    ];
    // Last, so that values are the same under whichever name.
    return [...edits, ...renames.flatMap(([from, to]) => rename(document, [...before, ...edits], from, to))];
  };
}
