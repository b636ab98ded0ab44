import type { LoadedRequestOverrides } from '../config/loaded-model-router.ts';
import { findMember, type JsonDocument, readSmallMember } from '../request/json-document.ts';
import { type Edit, removeMember, setMember } from '../upstream/edit-document.ts';

/** A member that has its new name already keeps that one's value. */
function rename(document: JsonDocument, from: string, to: string): readonly Edit[] {
  const member = findMember(document, from);
  if (member === undefined) return [];
  if (findMember(document, to) !== undefined) return [removeMember(from)];
  const value = document.bytes.subarray(member.valueStart, member.valueEnd);
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

/** What a provider key changes in a body; `undefined` where that is nothing. */
export function bodyAdjuster(
  overrides: LoadedRequestOverrides,
): ((document: JsonDocument) => readonly Edit[]) | undefined {
  const renames = Object.entries(overrides.paramRenames);
  const defaults = Object.entries(overrides.defaultBodyFields).map(([key, value]) => setMember(key, value));
  const clamps = overrides.temperatureMin !== undefined || overrides.temperatureMax !== undefined;
  if (renames.length === 0 && defaults.length === 0 && !clamps) return undefined;
  return (document) => [
    ...defaults.filter(({ key }) => findMember(document, key) === undefined),
    ...(clamps ? clampTemperature(document, overrides) : []),
    ...renames.flatMap(([from, to]) => rename(document, from, to)),
  ];
}
