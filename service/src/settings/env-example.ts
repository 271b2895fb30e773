import { settingDefinitions } from '@factorial/backing';

/** The text of `.env.example`: every setting with its meaning, its range and its default. */
export function renderEnvExample(): string {
  const head = [
    '# Every setting of the service. Copy this file to `.env` and change what you need, or set the variables in the',
    '# environment, which wins over the file. A wrong value stops the start and is named.',
  ];
  const blocks = Object.entries(settingDefinitions).map(([name, { description, expected, fallback }]) =>
    [
      '',
      `# ${description}`,
      `# Expected: ${expected}.`,
      `${fallback === undefined ? '# ' : ''}${name}=${fallback ?? ''}`,
    ].join('\n'),
  );
  return `${[...head, ...blocks].join('\n')}\n`;
}
