import { defineConfig } from 'vitest/config';

/** Suites against real servers that are killed, stalled and cut off: their timing is the machine's. */
const realServers = ['backing/test/**/*.test.ts', 'acceptance/real-services/**/*.test.ts', 'sfn/test/servers.test.ts'];

const shared = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    // Two cores: more files at once only make each other's child processes slow.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'tests',
          include: ['*/src/**/*.test.ts', '*/test/**/*.test.ts', 'acceptance/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...realServers],
        },
      },
      // One repetition, which the report shows: a machine that stood still for seconds is not a fault of the service.
      { test: { ...shared, name: 'real servers', include: realServers, retry: 1 } },
    ],
  },
});
