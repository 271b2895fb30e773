import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { factorialChart, testFolder } from './paths.mjs';
import { helm } from './tools.mjs';

/** Every values file that is rendered, by name: the examples of the chart and those of the test. */
export const valuesFiles = Object.freeze({
  small: join(factorialChart, 'values-small.yaml'),
  production: join(factorialChart, 'values-production.yaml'),
  ...Object.fromEntries(
    readdirSync(join(testFolder, 'values')).map((name) => [
      name.replace(/\.yaml$/, ''),
      join(testFolder, 'values', name),
    ]),
  ),
});

function templateArguments(valuesFile, set) {
  const settings = Object.entries(set).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]);
  return ['template', 'rel', factorialChart, '--namespace', 'ns', '--values', valuesFile, ...settings];
}

/** The objects of a rendered text. Throws on YAML that is not valid or that repeats a key. */
export function parseObjects(text) {
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS();
    })
    .filter((object) => object !== null);
}

/** The objects of the factorial chart for a values file, with single values replaced. Throws with Helm's message. */
export function render(valuesName, set = {}) {
  const { status, stdout, stderr } = helm(templateArguments(valuesFiles[valuesName], set));
  if (status !== 0) throw new Error(stderr);
  return parseObjects(stdout);
}

/** The message with which Helm refuses the values; throws when it renders them. */
export function refusal(valuesName, set) {
  const { status, stderr } = helm(templateArguments(valuesFiles[valuesName], set));
  if (status === 0) throw new Error(`expected a refusal of ${JSON.stringify(set)}, got a rendered chart`);
  return stderr;
}

/** The one object of a kind and name; throws when there is none. */
export function pick(objects, kind, name) {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) throw new Error(`expected one ${kind} ${name}, got ${found.length}`);
  return found[0];
}

export const ofKind = (objects, ...kinds) => objects.filter((object) => kinds.includes(object.kind));

/** Every pod the objects make: the object's kind and name, the pod's metadata and spec. */
export function pods(objects) {
  return objects.flatMap((object) => {
    const name = `${object.kind} ${object.metadata.name}`;
    if (object.kind === 'Pod') return [{ name, metadata: object.metadata, spec: object.spec }];
    const template = object.spec?.template;
    return template?.spec?.containers ? [{ name, metadata: template.metadata, spec: template.spec }] : [];
  });
}

/** The plain variables a container of the objects starts with: ConfigMaps by envFrom, then env. Secrets are left out. */
export function containerEnvironment(objects, container) {
  const environment = {};
  for (const { configMapRef } of container.envFrom ?? []) {
    if (configMapRef) Object.assign(environment, pick(objects, 'ConfigMap', configMapRef.name).data);
  }
  for (const { name, value } of container.env ?? []) if (value !== undefined) environment[name] = value;
  return environment;
}
