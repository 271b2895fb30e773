import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from './bundle-functions.ts';
import { FactorialStack } from './factorial-stack.ts';
import { functionsFolder } from './paths.ts';
import { readStackOptions } from './stack-options.ts';

export const stackName = 'Factorial';

/** The app with its one stack; the functions must have been bundled. */
export function createApp(outputFolder: string, context: Readonly<Record<string, unknown>>): App {
  const app = new App({ outdir: outputFolder, context: { ...context }, analyticsReporting: false });
  new FactorialStack(app, stackName, readStackOptions(app.node));
  return app;
}

/** Bundle the functions and write the template. Context as the CDK takes it: image, database, … (see stack-options.ts). */
export async function synthesise(options: {
  readonly outputFolder: string;
  readonly context: Readonly<Record<string, unknown>>;
}): Promise<{ readonly templateFile: string; readonly seconds: number }> {
  const startedMs = performance.now();
  await bundleFunctions(functionsFolder);
  const assembly = createApp(options.outputFolder, options.context).synth();
  const { templateFile } = assembly.getStackByName(stackName);
  return { templateFile: join(options.outputFolder, templateFile), seconds: (performance.now() - startedMs) / 1000 };
}
