import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const folder = new URL('../../schema/', import.meta.url);
const files = ['definitions.json', 'ai-proxy-multi.json', 'ai-proxy-multi-early.json', 'ai-proxy.json'];

interface Field {
  readonly name: string;
  readonly schema: Record<string, unknown>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
}

/** Every entry of every `properties`, except in conditions, which only repeat names. */
function fieldsOf(schema: unknown): Field[] {
  if (!isRecord(schema)) return [];
  const { properties, if: _condition, then: _consequence, ...parts } = schema;
  const entries = isRecord(properties) ? Object.entries(properties) : [];
  const own = entries.flatMap(([name, field]) => (isRecord(field) ? [{ name, schema: field }] : []));
  return [
    ...own,
    ...own.flatMap((field) => fieldsOf(field.schema)),
    ...Object.values(parts).flatMap(fieldsOf),
  ];
}

describe.each(files)('%s', (file) => {
  it('is draft-07 with an id that works wherever the folder stands', () => {
    expect(read(file)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', $id: file });
  });

  it('describes every field, each with its default or the word "Required"', () => {
    const described = fieldsOf(read(file)).filter(
      ({ schema }) => !('$ref' in schema) && !('allOf' in schema),
    );
    for (const { name, schema } of described) {
      expect(schema.description, name).toMatch(/Default: |Required/);
      if (typeof schema.default !== 'number' && typeof schema.default !== 'boolean') continue;
      expect(schema.description, name).toContain(`Default: ${schema.default}`);
    }
  });
});

describe('the generated types', () => {
  it('are what the schemas give today', async () => {
    const script = fileURLToPath(new URL('generate-types.mjs', folder));
    await expect(promisify(execFile)(process.execPath, [script, '--check'])).resolves.toBeDefined();
  });
});
