import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';

const folder = new URL('../../schema/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

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

describe('the files together', () => {
  /** As somebody else would use them, say for an editor: nothing left out, nothing filled in. */
  const everything = new Ajv();
  for (const file of files) everything.addSchema(readSchema(file));

  function readSchema(file: string): Record<string, unknown> {
    const schema = read(file);
    if (!isRecord(schema)) throw new Error(`${file} is no object`);
    return schema;
  }

  function readSeed(name: string): unknown {
    return read(`../test/fixtures/seeds/${name}.json`);
  }

  it('refer to nothing that is not there', () => {
    for (const file of files) expect(() => everything.validate(file, {}), file).not.toThrow();
  });

  it.each([
    ['apisix-route.json', '003-consumers-route'],
    ['apisix-route.json', '003-priority-rate-limiting'],
    ['apisix-route.json', '003-checks'],
    ['apisix-route.json', '004-route'],
    ['apisix-upstream.json', '004-openai-upstream'],
    ['apisix-upstream.json', '004-nemoclaw-upstream'],
    ['consumer.json', '003-consumer-johndoe'],
  ])('%s takes the seed %s', (file, name) => {
    expect(everything.validate(file, readSeed(name)), everything.errorsText()).toBe(true);
  });

  it('take the alias, the caller and the models of seed 002', () => {
    const targets = [{ model: 'gpt-4o-primary' }, { model: 'gpt-4o-secondary' }];
    const routing = { strategy: 'failover', targets, retries: 1, max_fallbacks: 1, retry_on_429: true };
    const models = [
      { display_name: 'gpt-4o-primary', provider: 'openai', model_name: 'gpt-4o', provider_key_id: 'pk' },
      { display_name: 'chat-prod', routing },
    ];
    const api_keys = [{ key_hash: 'd'.repeat(64), allowed_models: ['chat-prod'] }];
    const provider_keys = [{ id: 'pk', display_name: 'openai', provider: 'openai', api_key: '$env://KEY' }];
    const config = { provider_keys, models, api_keys };
    expect(everything.validate('model-router.json', config), everything.errorsText()).toBe(true);
    const half = { ...config, models: [{ display_name: 'chat-prod' }] };
    expect(everything.validate('model-router.json', half)).toBe(false);
  });

  it('look into the plugins of a route and of a consumer', () => {
    const plugins = { 'ai-rate-limiting': { limit: 0, time_window: 1 } };
    expect(everything.validate('consumer.json', { username: 'a', plugins })).toBe(false);
    const proxy = { 'ai-proxy': { provider: 'opnai', auth: {} } };
    expect(everything.validate('apisix-router.json', { routes: [{ uri: '/', plugins: proxy }] })).toBe(false);
    expect(everything.validate('apisix-router.json', { routes: { a: { uri: '/', plugins: proxy } } })).toBe(
      false,
    );
  });
});

describe('the generated types', () => {
  it('are what the schemas give today', async () => {
    const script = fileURLToPath(new URL('generate-types.mjs', folder));
    await expect(promisify(execFile)(process.execPath, [script, '--check'])).resolves.toBeDefined();
  });
});
