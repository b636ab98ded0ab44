import { describe, expect, it, onTestFinished } from 'vitest';
import { makeProjectWithout } from '../../support/project-without.ts';

const SCRIPT = `
  import { modelRouter } from './lib/index.js';
  try {
    modelRouter({ provider_keys: [], models: [] }).admin({ keys: ['a'] });
  } catch (error) {
    console.log(error.name, JSON.stringify(error.errors));
  }
`;

describe('a project without express', () => {
  it('is told at once what to install for the admin API', async () => {
    const project = await makeProjectWithout('express');
    onTestFinished(() => project.remove());
    const faults = [{ path: 'admin', message: 'needs the package express: npm install express' }];
    expect(await project.run(SCRIPT)).toBe(`ConfigError ${JSON.stringify(faults)}\n`);
  });
});
